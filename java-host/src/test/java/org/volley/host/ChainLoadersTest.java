package org.volley.host;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where the converters of a task are looked for. */
class ChainLoadersTest {
    private static final String CONVERTER = "org.volley.plugins.TellingConverter";

    @TempDir
    static Path directory;
    static ScriptedWorker worker;

    @BeforeAll
    static void start() throws Exception {
        for (String name : List.of("own", "newer")) {
            PluginPath.withTestPlugins(directory, name, "org.volley.plugins", Map.of());
        }
        worker = new ScriptedWorker();
        worker.call("USE", "plugins", List.of(at("own", TaskScenario.SOURCE, "source", "2.5"), at("own", CONVERTER, "converter", "1.0"),
                at("newer", CONVERTER, "converter", "2.0")));
    }

    @AfterAll
    static void stop() throws Exception {
        worker.close();
    }

    @Test
    void theOneBesideTheConnectorIsTakenBeforeANewerOne() {
        TaskScenario.source(worker, "where", Map.of()).lane.poll();
        worker.line("converter from own");
    }

    @Test
    void aVersionThatIsAskedForIsTakenWhereverItIs() {
        TaskScenario.source(worker, "where", Map.of("value.converter.plugin.version", "2.0")).lane.poll();
        worker.line("converter from newer");
    }

    @Test
    void withoutOneBesideTheConnectorTheNewestIsTaken() throws Exception {
        PluginPath.withFileConnectors(directory);
        String source = "org.apache.kafka.connect.file.FileStreamSourceConnector";
        Path file = Files.writeString(directory.resolve("in.txt"), "where\n");
        Map<String, String> config = Map.of("name", "files", "connector.class", source, "file", file.toString(), "topic", "t",
                "value.converter", CONVERTER, "task.class", "org.apache.kafka.connect.file.FileStreamSourceTask");
        try (ScriptedWorker apart = new ScriptedWorker()) {
            apart.onCallBack("OFFSET_READ", request -> ScriptedWorker.JSON.valueToTree(Collections.singletonList(null)));
            apart.call("USE", "plugins", List.of(at("connect-file", source, "source", "4.3.0"), at("own", CONVERTER, "converter", "1.0"),
                    at("newer", CONVERTER, "converter", "2.0")));
            apart.call("TASK_NEW", "task", "files-0", "connector", "files", "kind", "source", "lane", 0, "commit_lane", 1, "exactly_once",
                    false, "connector_config", config, "task_config", config, "worker_config", Map.of("key.converter", CONVERTER));
            Wire lane = apart.lane(0);
            lane.done(16);
            lane.poll();
            apart.line("converter from newer");
        }
    }

    private static Map<String, String> at(String name, String className, String kind, String version) {
        return Map.of("class", className, "kind", kind, "version", version, "location", directory.resolve(name).toString());
    }
}
