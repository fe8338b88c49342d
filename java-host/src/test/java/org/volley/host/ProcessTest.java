package org.volley.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The life of the process, whatever its plug-ins do. */
class ProcessTest {
    @TempDir
    Path directory;

    @Test
    void aCallThatHangsHoldsUpNoOther() throws Exception {
        try (ScriptedWorker worker = TaskScenario.worker(directory)) {
            worker.start("VALIDATE", "class", TaskScenario.SOURCE, "config", Map.of("script", "hang"));
            TaskScenario hanging = TaskScenario.source(worker, "hang", Map.of());
            hanging.lane.write(18, new byte[0]);
            worker.line("poll");
            TaskScenario other = TaskScenario.sink(worker, Map.of());
            other.lane.done(23, Wire.put("t", 0, "a"));
            assertEquals(2, worker.call("DESCRIBE", "class", TaskScenario.SOURCE, "kind", "source").path("keys").size());
            hanging.commitLane().done(20);
            String dump = worker.call("DUMP").path("threads").asText();
            assertTrue(dump.contains("\"task-thread-" + hanging.task + "\"") && dump.contains("org.volley.plugins.AnySource.await"), dump);
            worker.call("TASK_END", "task", hanging.task);
            worker.call("EXIT");
            assertEquals(0, worker.exitCode());
        }
    }

    @Test
    void theHostHaltsWhenTheWorkerIsGoneEvenWhileAPlugInHangs() throws Exception {
        try (ScriptedWorker worker = TaskScenario.worker(directory)) {
            TaskScenario hanging = TaskScenario.source(worker, "hang", Map.of());
            hanging.lane.write(18, new byte[0]);
            worker.line("poll");
            worker.die();
            assertEquals(70, worker.exitCode());
            assertFalse(Files.exists(worker.directory()), "nobody else removes it");
        }
    }

    @Test
    void aPlugInThatExitsEndsTheProcess() throws Exception {
        try (ScriptedWorker worker = TaskScenario.worker(directory)) {
            TaskScenario source = TaskScenario.source(worker, "exit", Map.of());
            source.lane.write(18, new byte[0]);
            assertEquals(9, worker.exitCode());
        }
    }

    @Test
    void theHostTellsOfItselfEachSecondAndOfAllMetrics() throws Exception {
        try (ScriptedWorker worker = TaskScenario.worker(directory)) {
            JsonNode beat = worker.notice("BEAT", each -> true);
            assertTrue(beat.path("heap_used").asLong() > 0 && beat.path("heap_max").asLong() > beat.path("heap_used").asLong(), beat::toString);
            assertTrue(beat.path("threads").asInt() > 3 && beat.path("cpu_ms").asLong() > 0 && beat.has("gc_ms"), beat::toString);
            TaskScenario.source(worker, "a", Map.of());
            String metrics = worker.call("METRICS").path("metrics").toString();
            assertTrue(metrics.contains("type=task-error-metrics") && metrics.contains("\"total-record-errors\":0.0"), metrics);
        }
    }

    @Test
    void levelsOfLoggersAreSet() throws Exception {
        try (ScriptedWorker worker = TaskScenario.worker(directory)) {
            TaskScenario sink = TaskScenario.sink(worker, Map.of());
            worker.call("LOGGER", "name", "org.volley.plugins", "level", "ERROR");
            sink.lane.done(23, Wire.put("t", 0, "log"));
            worker.call("LOGGER", "name", "org.volley.plugins", "level", "WARN");
            sink.lane.done(23, Wire.put("t", 0, "headers", "log"));
            worker.notice("LOG", each -> each.path("message").asText().equals("a warning"));
            assertEquals("config", worker.refused("LOGGER", "name", "x", "level", "LOUD").path("kind").asText());
        }
    }

    @Test
    void aLogConfigurationOfTheUserReplacesTheWorkersLog() throws Exception {
        Path file = Files.writeString(directory.resolve("connect-log4j2.yaml"), """
                Configuration:
                  Appenders:
                    Console:
                      name: STDOUT
                      PatternLayout:
                        pattern: "mine %c %m%n%throwable{none}"
                  Loggers:
                    Root:
                      level: WARN
                      AppenderRef:
                        - ref: STDOUT
                """);
        try (ScriptedWorker worker = new ScriptedWorker("-Dlog4j2.configurationFile=" + file)) {
            worker.call("SCAN", "locations", List.of(PluginPath.withTestPlugins(directory, "p", "org.volley.plugins", Map.of()).toString()),
                    "discovery", "only_scan");
            TaskScenario sink = TaskScenario.sink(worker, Map.of());
            sink.lane.done(23, Wire.put("t", 0, "log"));
            worker.line("mine org.volley.plugins.ScriptedSink a warning");
        }
    }

    @Test
    void aPlugInThatLooksForTheWorkersFileOnItsCommandLineFindsIt() throws Exception {
        try (ScriptedWorker worker = new ScriptedWorker("-Dvolley.worker.file=/etc/worker.properties")) {
            worker.call("SCAN", "locations", List.of(PluginPath.withTestPlugins(directory, "p", "org.volley.plugins", Map.of()).toString()),
                    "discovery", "only_scan");
            TaskScenario.sink(worker, Map.of()).lane.done(23, Wire.put("t", 0, "command line"));
            worker.line("command line org.apache.kafka.connect.cli.ConnectDistributed /etc/worker.properties");
        }
    }

    @Test
    void anUnknownCallIsRefused() throws Exception {
        try (ScriptedWorker worker = new ScriptedWorker()) {
            assertEquals("This host has no call `SING`", worker.refused("SING").path("message").asText());
            assertEquals("There is no connector `x` in this host", worker.refused("TASK_CONFIGS", "connector", "x", "max_tasks", 1)
                    .path("message").asText());
        }
    }
}
