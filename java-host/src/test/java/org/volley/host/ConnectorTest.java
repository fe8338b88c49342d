package org.volley.host;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What Connect promises a connector's instance. */
class ConnectorTest {
    @TempDir
    static Path directory;
    static ScriptedWorker worker;

    @BeforeAll
    static void start() throws Exception {
        worker = TaskScenario.worker(directory);
    }

    @AfterAll
    static void stop() throws Exception {
        assertEquals(List.of(), worker.lines("WRONG LOADER"));
        worker.close();
    }

    @Test
    void taskConfigsHaveTheTaskClass() {
        assertEquals("{\"version\":\"2.5\"}", start("one", Map.of("script", "a")).toString());
        JsonNode configs = worker.call("TASK_CONFIGS", "connector", "one", "max_tasks", 2);
        assertEquals("org.volley.plugins.ScriptedSource", configs.path("task_class").asText());
        assertEquals("a org.volley.plugins.ScriptedSource", configs.path("configs").path(1).path("script").asText() + " "
                + configs.path("configs").path(1).path("task.class").asText());
        worker.call("CONNECTOR_STOP", "connector", "one");
        worker.line("stop connector");
    }

    @Test
    void aConnectorReadsOffsetsToo() {
        worker.onCallBack("OFFSET_READ", request -> {
            assertEquals("reader [{\"p\":1}]", request.path("connector").asText() + " " + request.path("partitions"));
            return ScriptedWorker.JSON.valueToTree(List.of(Map.of("n", 7)));
        });
        start("reader", Map.of("reads", "yes"));
        worker.line("offset {n=7} of Long");
    }

    @Test
    void aConnectorAsksForNewTasksAndRaisesErrors() throws Exception {
        BlockingQueue<String> asked = new LinkedBlockingQueue<>();
        worker.onCallBack("RECONFIGURE", request -> {
            asked.add("reconfigure " + request.path("connector").asText());
            return ScriptedWorker.object();
        });
        worker.onCallBack("RAISE_ERROR", request -> {
            asked.add("raise " + request.path("error").path("class").asText() + " " + request.path("error").path("message").asText());
            return ScriptedWorker.object();
        });
        start("asker", Map.of("asks", "yes"));
        List<String> both = java.util.stream.Stream.of(asked.poll(30, TimeUnit.SECONDS), asked.poll(30, TimeUnit.SECONDS)).sorted().toList();
        assertEquals(List.of("raise java.lang.IllegalStateException broken", "reconfigure asker"), both);
    }

    @Test
    void guaranteesAreAskedOfInstancesThatNeverStart() {
        worker.forgetLines();
        assertEquals("\"supported\"", worker.call("EXACTLY_ONCE", "class", TaskScenario.SOURCE, "config", Map.of("once", "yes")).toString());
        assertEquals("null", worker.call("EXACTLY_ONCE", "class", TaskScenario.SOURCE, "config", Map.of()).toString());
        assertEquals("\"unsupported\"", worker.call("BOUNDARIES", "class", TaskScenario.SOURCE, "config", Map.of()).toString());
        assertEquals(List.of(), worker.lines("start"));
    }

    @Test
    void alteredOffsetsAreTold() {
        assertEquals("true", worker.call("ALTER_OFFSETS", "class", TaskScenario.SOURCE, "kind", "source", "config", Map.of(), "offsets",
                List.of(Map.of("partition", Map.of("b", 1, "a", "x"), "offset", Map.of("n", 2)))).toString());
        worker.line("alter {a=x, b=1} to {n=2}");
        worker.call("ALTER_OFFSETS", "class", TaskScenario.SOURCE, "kind", "source", "config", Map.of(), "offsets",
                List.of(java.util.Collections.singletonMap("partition", Map.of("a", "y"))));
        worker.line("alter {a=y} to null");
        worker.call("ALTER_OFFSETS", "class", TaskScenario.SINK, "kind", "sink", "config", Map.of(), "offsets",
                List.of(Map.of("topic", "t", "partition", 1, "offset", 5), Map.of("topic", "t", "partition", 2)));
        worker.line("alter {t-1=5, t-2=null}");
    }

    private static JsonNode start(String name, Map<String, String> more) {
        Map<String, String> config = new java.util.HashMap<>(more);
        config.put("name", name);
        config.put("connector.class", TaskScenario.SOURCE);
        return worker.call("CONNECTOR_START", "connector", name, "class", TaskScenario.SOURCE, "config", config);
    }
}
