package org.volley.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where plug-ins are found, and what they say of themselves. */
class DiscoveryTest {
    @TempDir
    static Path directory;
    static ScriptedWorker worker;

    @BeforeAll
    static void start() throws Exception {
        PluginPath.withTestPlugins(directory, "bare", "org.volley.plugins", Map.of());
        Path annotations = Path.of(JsonCreator.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        Files.copy(annotations, directory.resolve("bare/jackson-annotations.jar"));
        PluginPath.withTestPlugins(directory, "listed", "org.volley.plugins",
                Map.of("org.apache.kafka.connect.source.SourceConnector", List.of("org.volley.plugins.AnySource")));
        worker = new ScriptedWorker();
    }

    @AfterAll
    static void stop() throws Exception {
        worker.close();
    }

    @Test
    void aScanReadsClassesAndServiceFilesReadTheLists() {
        assertEquals(List.of("bare: sink AnySink 2.6", "bare: source AnySource 2.5", "listed: sink AnySink 2.6", "listed: source AnySource 2.5"),
                connectors("only_scan"));
        assertEquals(List.of("listed: source AnySource 2.5"), connectors("service_load"));
        assertEquals(4, connectors("hybrid_warn").size());
    }

    @Test
    void aPluginWithoutAServiceFileIsRefusedByItsNameWhereAllNeedOne() {
        for (Object[] what : new Object[][] {{"locations", List.of(directory.toString())}, {"part", directory.resolve("listed").toString()}}) {
            JsonNode error = worker.refused("SCAN", what[0], what[1], "discovery", "hybrid_fail");
            String message = error.path("message").asText();
            assertTrue(message.contains("org.volley.plugins.AnySink") && message.contains("plugin.discovery=hybrid_warn"), message);
        }
        JsonNode scanned = worker.call("SCAN", "part", "classpath", "discovery", "hybrid_fail");
        assertTrue(scanned.path("plugins").toString().contains("org.apache.kafka.connect.json.JsonConverter"));
    }

    @Test
    void aPluginPathIsScannedInPartsThatTogetherHaveWhatTheWholeHas() {
        JsonNode parts = worker.call("LOCATIONS", "locations", List.of(directory.toString(), "/there/is/no/such"));
        assertEquals(List.of("bare", "listed"), StreamSupport.stream(parts.path("parts").spliterator(), false)
                .map(part -> Path.of(part.asText()).getFileName().toString()).sorted().toList());
        assertEquals("/there/is/no/such", parts.path("broken").path(0).path("location").asText());
        int found = worker.call("SCAN", "part", "classpath", "discovery", "hybrid_warn").path("plugins").size();
        for (JsonNode part : parts.path("parts")) {
            JsonNode plugins = worker.call("SCAN", "part", part.asText(), "discovery", "hybrid_warn").path("plugins");
            plugins.forEach(plugin -> assertEquals(part, plugin.path("location")));
            found += plugins.size();
        }
        assertEquals(scan("hybrid_warn", directory).path("plugins").size(), found);
    }

    @Test
    void aLocationThatIsNotThereIsBrokenAndTheOthersAreUsed() {
        JsonNode scanned = worker.call("SCAN", "locations", List.of(directory.toString(), "/there/is/no/such"), "discovery", "service_load");
        assertEquals("/there/is/no/such", scanned.path("broken").path(0).path("location").asText());
        assertTrue(scanned.path("plugins").toString().contains("AnySource"));
    }

    @Test
    void pluginsOfTheClassPathAreFoundWithoutAnyLocation() {
        JsonNode scanned = worker.call("SCAN", "locations", List.of(), "discovery", "service_load");
        assertTrue(scanned.path("plugins").toString().contains(
                "{\"class\":\"org.apache.kafka.connect.json.JsonConverter\",\"kind\":\"converter\",\"version\":\"4.3.0\",\"location\":\"classpath\"}"),
                scanned::toString);
    }

    @Test
    void aPlugInSeesItsOwnJarsFirstAndKafkaOfTheHost() {
        useBare("org.volley.plugins.Loaders", "predicate");
        worker.call("DESCRIBE", "class", "org.volley.plugins.Loaders", "kind", "predicate");
        worker.line("own PluginClassLoader, beside it PluginClassLoader, kafka AppClassLoader, slf4j AppClassLoader");
    }

    @Test
    void pluginsThatAreAddedLeaveTheOthersWhereTheyAre() throws Exception {
        try (ScriptedWorker fresh = new ScriptedWorker()) {
            fresh.call("USE", "plugins", List.of(bare("org.volley.plugins.AnySource", "source")));
            Map<String, String> config = Map.of("name", "c", "connector.class", "org.volley.plugins.AnySource", "counts", "yes");
            fresh.call("CONNECTOR_START", "connector", "c", "class", "org.volley.plugins.AnySource", "config", config);
            fresh.line("started 1");
            fresh.call("USE", "plugins", List.of(bare("org.volley.plugins.Loaders", "predicate")));
            fresh.call("CONNECTOR_START", "connector", "c2", "class", "org.volley.plugins.AnySource", "config", config);
            fresh.line("started 2");
        }
    }

    @Test
    void aDefinitionIsToldWithAllThatItSays() {
        useBare("org.volley.plugins.AnySource", "source");
        JsonNode keys = worker.call("DESCRIBE", "class", "org.volley.plugins.AnySource", "kind", "source").path("keys");
        assertEquals("{\"name\":\"secret\",\"type\":\"PASSWORD\",\"required\":false,\"default\":\"[hidden]\",\"importance\":\"HIGH\","
                + "\"documentation\":\"A secret\",\"group\":\"Group\",\"order_in_group\":3,\"width\":\"SHORT\",\"display_name\":\"The secret\","
                + "\"dependents\":[\"script\"],\"internal\":false}", keys.path(0).toString());
        assertEquals("true null", keys.path(1).path("required") + " " + keys.path(1).path("default"));
    }

    @Test
    void aValidationIsToldWithAllThatItSays() {
        useBare("org.volley.plugins.AnySource", "source");
        JsonNode answer = worker.call("VALIDATE", "class", "org.volley.plugins.AnySource", "config", Map.of("secret", "told to nobody"));
        assertEquals(2, answer.path("keys").size());
        assertEquals("[{\"name\":\"secret\",\"value\":\"[hidden]\",\"recommended\":[\"better\"],\"errors\":[],\"visible\":true},"
                + "{\"name\":\"script\",\"value\":null,\"recommended\":[\"better\"],\"errors\":[\"Missing required configuration \\\"script\\\""
                + " which has no default value.\"],\"visible\":true}]", answer.path("values").toString());
    }

    @Test
    void aClassThatIsNotThereIsRefusedInKafkasWords() {
        JsonNode error = worker.refused("DESCRIBE", "class", "org.volley.NoSuch", "kind", "sink");
        assertTrue(error.path("message").asText().startsWith("Failed to find any class that implements Connector and which name matches "
                + "org.volley.NoSuch"), error::toString);
    }

    private static void useBare(String className, String kind) {
        worker.call("USE", "plugins", List.of(bare(className, kind)));
    }

    private static Map<String, String> bare(String className, String kind) {
        return Map.of("class", className, "kind", kind, "version", "2.5", "location", directory.resolve("bare").toString());
    }

    private static JsonNode scan(String discovery, Path... locations) {
        return worker.call("SCAN", "locations", java.util.Arrays.stream(locations).map(Path::toString).toList(), "discovery", discovery);
    }

    private static List<String> connectors(String discovery) {
        return StreamSupport.stream(scan(discovery, directory).path("plugins").spliterator(), false)
                .filter(plugin -> plugin.path("class").asText().startsWith("org.volley.plugins.Any"))
                .map(plugin -> directory.relativize(Path.of(plugin.path("location").asText())) + ": " + plugin.path("kind").asText() + " "
                        + plugin.path("class").asText().substring("org.volley.plugins.".length()) + " " + plugin.path("version").asText())
                .sorted().toList();
    }
}
