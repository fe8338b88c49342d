package org.volley.host.connector;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.connect.connector.Connector;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.sink.SinkConnector;
import org.apache.kafka.connect.source.SourceConnector;
import org.volley.host.plugins.PluginScope;
import org.volley.host.plugins.PluginSet;
import org.volley.host.wire.Json;

/** What is asked of connectors that are not started for it. */
public final class Offers {
    private final PluginSet plugins;
    private final String className;
    private final Map<String, String> config;

    /** Of the connector with this class and configuration. */
    public Offers(PluginSet plugins, String className, Map<String, String> config) {
        this.plugins = plugins;
        this.className = className;
        this.config = config;
    }

    /** Whether a source can do exactly-once delivery with this configuration; null where it does not say. */
    public JsonNode exactlyOnce() throws Exception {
        return ask(connector -> word(source(connector).exactlyOnceSupport(config)));
    }

    /** Whether a source can set the boundaries of transactions; null where it does not say. */
    public JsonNode boundaries() throws Exception {
        return ask(connector -> word(source(connector).canDefineTransactionBoundaries(config)));
    }

    /** Whether the connector takes changed offsets, and took notice of these. */
    public JsonNode alterOffsets(JsonNode offsets) throws Exception {
        return ask(connector -> BooleanNode.valueOf(connector instanceof SinkConnector sink
                ? sink.alterOffsets(config, sinkOffsets(offsets))
                : source(connector).alterOffsets(config, sourceOffsets(offsets))));
    }

    private static Map<Map<String, ?>, Map<String, ?>> sourceOffsets(JsonNode offsets) {
        Map<Map<String, ?>, Map<String, ?>> map = new HashMap<>();
        for (JsonNode each : offsets) {
            JsonNode offset = each.path("offset");
            map.put(OffsetJson.read(Json.write(each.path("partition"))), offset.isObject() ? OffsetJson.read(Json.write(offset)) : null);
        }
        return map;
    }

    private static Map<TopicPartition, Long> sinkOffsets(JsonNode offsets) {
        Map<TopicPartition, Long> map = new HashMap<>();
        for (JsonNode each : offsets) {
            JsonNode offset = each.path("offset");
            map.put(new TopicPartition(Json.text(each, "topic"), each.path("partition").asInt()),
                    offset.isNumber() ? offset.asLong() : null);
        }
        return map;
    }

    private SourceConnector source(Connector connector) {
        if (connector instanceof SourceConnector source) {
            return source;
        }
        throw new ConnectException(className + " is no source connector");
    }

    private static JsonNode word(Enum<?> answer) {
        return answer == null ? NullNode.instance : TextNode.valueOf(answer.name().toLowerCase(Locale.ROOT));
    }

    private JsonNode ask(Question question) throws Exception {
        ClassLoader loader = plugins.connectorLoader(className, config);
        try (PluginScope scope = PluginScope.ofConnector(loader, config.getOrDefault("name", className))) {
            return question.ask(plugins.newConnector(className, config));
        }
    }

    private interface Question {
        JsonNode ask(Connector connector) throws Exception;
    }
}
