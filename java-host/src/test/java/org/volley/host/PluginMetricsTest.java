package org.volley.host;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Metrics that plug-ins add themselves (KIP-877). */
class PluginMetricsTest {
    @TempDir
    Path directory;

    @Test
    void metricsOfInstanceAndTasksAreToldAndGoWithThem() throws Exception {
        try (ScriptedWorker worker = TaskScenario.worker(directory)) {
            worker.call("CONNECTOR_START", "connector", "c", "class", TaskScenario.SOURCE, "config",
                    Map.of("name", "c", "connector.class", TaskScenario.SOURCE, "measures", "yes"));
            TaskScenario source = TaskScenario.source(worker, "measure", Map.of());
            source.lane.poll();
            TaskScenario sink = TaskScenario.sink(worker, Map.of());
            sink.lane.done(23, Wire.put("t", 0, "measure"));
            String tasks = "connector=%s,task=0: ";
            assertEquals(List.of("connector=c: {\"starts\":1.0}", tasks.formatted(sink.connector()) + "{\"puts\":3.0}",
                    tasks.formatted(source.connector()) + "{\"polls\":2.0}").stream().sorted().toList(), told(worker));
            worker.call("TASK_END", "task", source.task);
            worker.call("TASK_END", "task", sink.task);
            worker.call("CONNECTOR_STOP", "connector", "c");
            assertEquals(List.of(), told(worker));
        }
    }

    private static List<String> told(ScriptedWorker worker) {
        return StreamSupport.stream(worker.call("METRICS").path("metrics").spliterator(), false)
                .filter(metric -> metric.path("name").asText().contains("type=plugins"))
                .map(metric -> metric.path("name").asText().replaceFirst(".*type=plugins,", "") + ": " + metric.path("attributes")).sorted()
                .toList();
    }
}
