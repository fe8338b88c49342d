package org.volley.host;

import java.lang.management.LockInfo;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;

/** What all threads of this process do. */
final class Threads {
    private Threads() {
    }

    /** Each thread with its whole stack. */
    static String dump() {
        StringBuilder dump = new StringBuilder();
        for (ThreadInfo thread : ManagementFactory.getThreadMXBean().dumpAllThreads(true, true)) {
            dump.append('"').append(thread.getThreadName()).append("\" #").append(thread.getThreadId()).append(' ')
                    .append(thread.getThreadState());
            LockInfo lock = thread.getLockInfo();
            if (lock != null) {
                dump.append(" on ").append(lock);
            }
            if (thread.getLockOwnerName() != null) {
                dump.append(" owned by \"").append(thread.getLockOwnerName()).append('"');
            }
            dump.append('\n');
            for (StackTraceElement frame : thread.getStackTrace()) {
                dump.append("\tat ").append(frame).append('\n');
            }
            dump.append('\n');
        }
        return dump.toString();
    }
}
