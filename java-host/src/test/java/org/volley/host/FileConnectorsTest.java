package org.volley.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Kafka's own file connectors, from the scan to the last call. */
class FileConnectorsTest {
    private static final String SOURCE = "org.apache.kafka.connect.file.FileStreamSourceConnector";
    private static final String SINK = "org.apache.kafka.connect.file.FileStreamSinkConnector";
    private static final Map<String, String> STRINGS = Map.of("key.converter", "org.apache.kafka.connect.storage.StringConverter",
            "value.converter", "org.apache.kafka.connect.storage.StringConverter");

    @Test
    void aSourceReadsAFileFromWhereTheOffsetSays(@TempDir Path directory) throws Exception {
        Path file = Files.writeString(directory.resolve("in.txt"), "one\ntwo\nthree\n");
        Map<String, String> config = Map.of("name", "files", "connector.class", SOURCE, "file", file.toString(), "topic", "lines",
                "tasks.max", "1");
        try (ScriptedWorker worker = new ScriptedWorker()) {
            assertEquals("4.3.0", worker.hello.path("kafka").asText());
            assertEquals(worker.process.pid(), worker.hello.path("pid").asLong());
            JsonNode scanned = worker.call("SCAN", "locations", List.of(PluginPath.withFileConnectors(directory).toString()), "discovery",
                    "hybrid_warn");
            assertTrue(scanned.path("plugins").toString().contains("\"" + SOURCE + "\",\"kind\":\"source\",\"version\":\"4.3.0\",\"location\":\""
                    + directory.resolve("connect-file") + "\""), scanned::toString);
            JsonNode keys = worker.call("DESCRIBE", "class", SOURCE, "kind", "source").path("keys");
            assertTrue(keys.toString().contains("\"name\":\"batch.size\",\"type\":\"INT\",\"required\":false,\"default\":\"2000\""),
                    keys::toString);
            JsonNode validated = worker.call("VALIDATE", "class", SOURCE, "config", Map.of("batch.size", "none"));
            assertTrue(validated.path("values").toString().contains("Not a number of type INT"), validated::toString);

            assertEquals("4.3.0", worker.call("CONNECTOR_START", "connector", "files", "class", SOURCE, "config", config).path("version").asText());
            JsonNode configs = worker.call("TASK_CONFIGS", "connector", "files", "max_tasks", 1);
            assertEquals("org.apache.kafka.connect.file.FileStreamSourceTask", configs.path("task_class").asText());
            worker.onCallBack("OFFSET_READ", request -> {
                assertEquals("[{\"filename\":\"" + file + "\"}]", request.path("partitions").toString());
                return ScriptedWorker.JSON.valueToTree(List.of(Map.of("position", 4)));
            });
            JsonNode task = worker.call("TASK_NEW", "task", "files-0", "connector", "files", "kind", "source", "lane", 1, "commit_lane", 2,
                    "connector_config", config, "task_config", configs.path("configs").path(0), "worker_config", STRINGS);
            assertEquals("{\"version\":\"4.3.0\",\"wants_acknowledgements\":false}", task.toString());
            Wire lane = worker.lane(1);
            lane.done(16);
            Wire.Polled polled = lane.poll();
            assertEquals(List.of("two", "three"), polled.messages().stream().map(Wire.Message::value).toList());
            assertEquals("{\"position\":14}", polled.messages().get(1).sourceOffset());
        assertEquals(0, polled.last().json().path("skipped").asInt(-1));
            lane.done(17);
            worker.call("TASK_END", "task", "files-0");
            worker.call("CONNECTOR_STOP", "connector", "files");
            worker.call("EXIT");
            assertEquals(0, worker.exitCode());
        }
    }

    @Test
    void aSinkWritesAFile(@TempDir Path directory) throws Exception {
        Path file = directory.resolve("out.txt");
        Map<String, String> config = Map.of("name", "files", "connector.class", SINK, "file", file.toString(), "topics", "lines");
        try (ScriptedWorker worker = new ScriptedWorker()) {
            worker.call("USE", "plugins", List.of(Map.of("class", SINK, "kind", "sink", "version", "4.3.0", "location",
                    PluginPath.withFileConnectors(directory).resolve("connect-file").toString())));
            worker.call("CONNECTOR_START", "connector", "files", "class", SINK, "config", config);
            JsonNode configs = worker.call("TASK_CONFIGS", "connector", "files", "max_tasks", 2).path("configs");
            assertEquals(2, configs.size());
            assertEquals("lines", configs.path(1).path("topics").asText());
            worker.call("TASK_NEW", "task", "files-1", "connector", "files", "kind", "sink", "lane", 1, "prepare_lane", 2, "connector_config", config,
                    "task_config", configs.path(1), "worker_config", STRINGS);
            Wire lane = worker.lane(1);
            lane.done(16);
            lane.done(21, "[{\"topic\":\"lines\",\"partition\":0,\"offset\":0}]");
            JsonNode put = lane.done(23, Wire.put("lines", 0, "a", "b"));
            assertEquals("{\"put\":1,\"requests\":{\"number\":3,\"commit\":false,\"seeks\":[],\"pauses\":[],\"timeout\":null},\"rejected\":[]}", put.toString());
            JsonNode offsets = lane.done(25, "[{\"topic\":\"lines\",\"partition\":0,\"offset\":2}]").path("offsets");
            assertEquals("[{\"topic\":\"lines\",\"partition\":0,\"offset\":2,\"metadata\":\"\"}]", offsets.toString());
            assertEquals("a\nb\n", Files.readString(file));
            lane.done(22, "[{\"topic\":\"lines\",\"partition\":0}]");
            lane.done(17);
            worker.call("TASK_END", "task", "files-1");
        }
    }
}
