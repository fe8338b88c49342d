package org.volley.host;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.util.concurrent.TimeUnit;
import org.volley.host.wire.CallBacks;
import org.volley.host.wire.Json;

/** Tells the worker each second that this process lives, and what it takes. */
final class Beat {
    private static final long EVERY_MILLIS = 1000;

    private Beat() {
    }

    static void start(CallBacks worker) {
        Thread thread = new Thread(() -> beat(worker), "volley-beat");
        thread.setDaemon(true);
        thread.start();
    }

    private static void beat(CallBacks worker) {
        try {
            while (true) {
                tell(worker);
                Thread.sleep(EVERY_MILLIS);
            }
        } catch (InterruptedException asked) {
            // No part of the host interrupts this thread: without its beat the worker ends the process.
            return;
        }
    }

    private static void tell(CallBacks worker) {
        Runtime runtime = Runtime.getRuntime();
        long collecting = 0;
        for (GarbageCollectorMXBean collector : ManagementFactory.getGarbageCollectorMXBeans()) {
            collecting += Math.max(0, collector.getCollectionTime());
        }
        OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        worker.mention("BEAT", Json.object().put("heap_used", runtime.totalMemory() - runtime.freeMemory())
                .put("heap_max", runtime.maxMemory())
                .put("threads", ManagementFactory.getThreadMXBean().getThreadCount())
                .put("gc_ms", collecting)
                .put("cpu_ms", TimeUnit.NANOSECONDS.toMillis(system.getProcessCpuTime())));
    }
}
