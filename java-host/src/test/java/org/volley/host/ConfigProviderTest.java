package org.volley.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What Connect promises a config provider. */
class ConfigProviderTest {
    private static final String CLASS = "org.volley.plugins.AnyProvider";

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
    void itIsConfiguredOnceAskedOftenAndClosed() {
        worker.call("PROVIDER_NEW", "provider", "a", "class", CLASS, "config", Map.of("p", "one"));
        worker.line("configure provider {p=one}");
        for (int i = 0; i < 2; i++) {
            assertEquals("{\"ttl_ms\":null,\"values\":{\"k\":\"dir/k{p=one}\"}}", get("a", "one", "dir", "k").toString());
        }
        assertEquals(1, worker.lines("configure provider {p=one}").size());
        worker.call("PROVIDER_CLOSE", "provider", "a");
        worker.line("close provider");
        worker.call("PROVIDER_CLOSE", "provider", "a");
    }

    @Test
    void itIsMadeWhereItIsNotThere() {
        assertEquals("/k{p=again}", get("b", "again", "", "k").path("values").path("k").asText());
    }

    @Test
    void whatItLeavesOutIsLeftOutAndWhatExpiresIsTold() {
        JsonNode answer = get("c", "two", "leased", "k", "gone");
        assertEquals(1500, answer.path("ttl_ms").asLong());
        assertTrue(answer.path("values").has("k") && !answer.path("values").has("gone"), answer.toString());
        assertTrue(get("c", "two", "leased", "null").path("values").path("null").isNull());
    }

    @Test
    void itsExceptionsAreTold() {
        JsonNode error = worker.refused("PROVIDER_NEW", "provider", "d", "class", CLASS, "config", Map.of("fails", ""));
        assertEquals("org.apache.kafka.common.config.ConfigException: no such store", text(error));
        error = worker.refused("PROVIDER_GET", "provider", "e", "class", CLASS, "config", Map.of(), "path", "sealed", "keys", List.of("k"));
        assertEquals("java.lang.IllegalStateException: the store is sealed", text(error));
        error = worker.refused("PROVIDER_GET", "provider", "e", "class", CLASS, "config", Map.of(), "path", "null", "keys", List.of("k"));
        assertTrue(text(error).contains(CLASS + " has answered with null"), text(error));
        error = worker.refused("PROVIDER_NEW", "provider", "f", "class", TaskScenario.SOURCE, "config", Map.of());
        assertTrue(text(error).contains(TaskScenario.SOURCE + " is no config provider"), text(error));
    }

    private static String text(JsonNode error) {
        return error.path("class").asText() + ": " + error.path("message").asText();
    }

    private static JsonNode get(String provider, String param, String path, String... keys) {
        return worker.call("PROVIDER_GET", "provider", provider, "class", CLASS, "config", Map.of("p", param), "path", path, "keys", List.of(keys));
    }
}
