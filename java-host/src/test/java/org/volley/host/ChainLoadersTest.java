package org.volley.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where a connector and the parts of its tasks are looked for (KIP-891). */
class ChainLoadersTest {
    private static final String CONVERTER = "org.volley.plugins.TellingConverter";
    private static final String CHANGES = "org.volley.plugins.Changes";
    private static final String PREDICATE = "org.volley.plugins.Whatever";

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
                at("newer", CONVERTER, "converter", "2.0"), at("own", CHANGES, "transformation", "1.0"), at("newer", CHANGES, "transformation", "2.0"),
                at("own", PREDICATE, "predicate", "1.0"), at("newer", PREDICATE, "predicate", "2.0")));
    }

    @AfterAll
    static void stop() throws Exception {
        assertEquals(List.of(), worker.lines("WRONG LOADER"));
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
    void transformationsAndPredicatesAreOfTheVersionThatIsAskedForEachInItsOwnLoader() {
        Map<String, String> config = new HashMap<>(Map.of("transforms", "a,b", "transforms.a.type", CHANGES, "transforms.a.called", "a",
                "transforms.b.type", CHANGES, "transforms.b.called", "b", "transforms.b.plugin.version", "2.0", "transforms.b.predicate", "p",
                "predicates", "p", "predicates.p.type", PREDICATE, "predicates.p.plugin.version", "[2.0]"));
        TaskScenario.source(worker, "where", config).lane.poll();
        worker.line("a from own");
        worker.line("b from newer");
        worker.line("predicate from newer");
    }

    @Test
    void ofTwoVersionsOfAConnectorTheOneThatIsAskedForRunsBesideTheOther() throws Exception {
        try (ScriptedWorker apart = new ScriptedWorker()) {
            apart.call("USE", "plugins", List.of(at("own", TaskScenario.SOURCE, "source", "1.0"), at("newer", TaskScenario.SOURCE, "source", "2.0")));
            start(apart, "old", Map.of("connector.plugin.version", "[1.0]"));
            apart.line("connector old from own");
            start(apart, "any", Map.of());
            apart.line("connector any from newer");
            start(apart, "new", Map.of("connector.plugin.version", "(1.0,3.0)"));
            apart.line("connector new from newer");
            apart.call("DESCRIBE", "class", TaskScenario.SOURCE, "kind", "source", "version", "1.0");
            apart.refused("DESCRIBE", "class", TaskScenario.SOURCE, "kind", "source", "version", "1.5");
            JsonNode error = apart.refused("CONNECTOR_START", "connector", "none", "class", TaskScenario.SOURCE, "config",
                    Map.of("name", "none", "connector.plugin.version", "[7.0]"));
            assertTrue(error.path("message").asText().contains("available versions: [1.0, 2.0]"), error.toString());
            assertEquals(List.of(), apart.lines("WRONG LOADER"));
        }
    }

    private static void start(ScriptedWorker apart, String name, Map<String, String> more) {
        Map<String, String> config = new HashMap<>(Map.of("name", name, "connector.class", TaskScenario.SOURCE, "script", "where"));
        config.putAll(more);
        apart.call("CONNECTOR_START", "connector", name, "class", TaskScenario.SOURCE, "config", config);
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
