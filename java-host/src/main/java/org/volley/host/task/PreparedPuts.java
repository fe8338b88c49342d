package org.volley.host.task;

import com.fasterxml.jackson.databind.node.ArrayNode;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.apache.kafka.connect.sink.SinkRecord;

/**
 * Records that are ready before they are put, in order: the newest two, which are what is put next and what comes behind it. Older ones that
 * were not put are not wanted any more. So nobody waits for room, which might never come. An interrupt does not end a wait: plug-ins
 * interrupt threads.
 */
final class PreparedPuts {
    private static final int CAPACITY = 2;

    /**
     * What became of a PREPARE.
     *
     * @param puts the records of each put
     * @param rejected what failed in the chain
     * @param failure why there are none; null if there are
     */
    record Prepared(long number, List<List<SinkRecord>> puts, ArrayNode rejected, Throwable failure) {
    }

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Deque<Prepared> ready = new ArrayDeque<>();
    private boolean closed;

    void add(Prepared prepared) {
        lock.lock();
        try {
            if (ready.size() == CAPACITY) {
                ready.remove();
            }
            ready.add(prepared);
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Waits for the one with this number. Those before it are not wanted any more. */
    Prepared take(long number) {
        lock.lock();
        try {
            while (true) {
                Prepared prepared = ready.poll();
                if (prepared == null && !closed) {
                    changed.awaitUninterruptibly();
                } else if (prepared == null || prepared.number() > number) {
                    throw new IllegalStateException("Put " + number + " was not prepared");
                } else if (prepared.number() == number) {
                    return prepared;
                }
            }
        } finally {
            lock.unlock();
        }
    }

    void close() {
        lock.lock();
        try {
            closed = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
