package org.volley.host.plugins;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.config.Config;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.ConfigKey;
import org.apache.kafka.common.config.ConfigValue;
import org.apache.kafka.connect.connector.Connector;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.runtime.isolation.LoaderSwap;
import org.apache.kafka.connect.storage.Converter;
import org.apache.kafka.connect.storage.HeaderConverter;
import org.apache.kafka.connect.transforms.Transformation;
import org.apache.kafka.connect.transforms.predicates.Predicate;
import org.volley.host.wire.Json;

/** The keys of plug-ins' configurations, and what a connector says of one. */
public final class Definition {
    private Definition() {
    }

    /** The keys that the plug-in of this class defines, in this version or, where that is null, the newest. Kinds that define none have none. */
    public static ObjectNode describe(PluginSet plugins, String className, String kind, String version) throws Exception {
        Object plugin = switch (PluginKind.of(kind)) {
            case SOURCE, SINK -> plugins.newConnector(className, version);
            default -> plugins.newPlugin(className, version);
        };
        try (LoaderSwap swap = plugins.plugins().withClassLoader(plugin.getClass().getClassLoader())) {
            return Json.object().set("keys", keys(definition(plugin)));
        }
    }

    /** What {@code Connector.validate} answers, and the keys that it is about. */
    public static ObjectNode validate(PluginSet plugins, String className, Map<String, String> config) throws Exception {
        Connector connector = plugins.newConnector(className, config);
        try (LoaderSwap swap = plugins.plugins().withClassLoader(connector.getClass().getClassLoader())) {
            ConfigDef definition = definition(connector);
            Config answer = connector.validate(config);
            if (answer == null) {
                throw new ConnectException(className + ".validate() gave null, where it has to give a Config");
            }
            ObjectNode ok = Json.object();
            ok.set("keys", keys(definition));
            ArrayNode values = ok.putArray("values");
            answer.configValues().forEach(value -> values.add(value(value, definition.configKeys())));
            return ok;
        }
    }

    private static ConfigDef definition(Object plugin) {
        ConfigDef definition = null;
        if (plugin instanceof Connector connector) {
            definition = connector.config();
            if (definition == null) {
                throw new ConnectException(plugin.getClass().getName() + ".config() gave null, where it has to give a ConfigDef");
            }
        } else if (plugin instanceof Transformation<?> transformation) {
            definition = transformation.config();
        } else if (plugin instanceof Predicate<?> predicate) {
            definition = predicate.config();
        } else if (plugin instanceof HeaderConverter converter) {
            definition = converter.config();
        } else if (plugin instanceof Converter converter) {
            definition = converter.config();
        }
        return definition == null ? new ConfigDef() : definition;
    }

    private static ArrayNode keys(ConfigDef definition) {
        ArrayNode keys = Json.array();
        definition.configKeys().values().forEach(key -> keys.add(key(key)));
        return keys;
    }

    private static ObjectNode key(ConfigKey key) {
        ObjectNode node = Json.object();
        node.put("name", key.name);
        node.put("type", key.type.name());
        node.put("required", !key.hasDefault());
        node.put("default", key.hasDefault() ? ConfigDef.convertToString(key.defaultValue, key.type) : null);
        node.put("importance", key.importance.name());
        node.put("documentation", key.documentation);
        node.put("group", key.group);
        node.put("order_in_group", key.orderInGroup);
        node.put("width", key.width.name());
        node.put("display_name", key.displayName);
        texts(node.putArray("dependents"), key.dependents);
        node.put("internal", key.internalConfig);
        return node;
    }

    private static ObjectNode value(ConfigValue value, Map<String, ConfigKey> keys) {
        ConfigKey key = keys.get(value.name());
        ConfigDef.Type type = key == null ? null : key.type;
        ObjectNode node = Json.object();
        node.put("name", value.name());
        node.put("value", ConfigDef.convertToString(value.value(), type));
        ArrayNode recommended = node.putArray("recommended");
        value.recommendedValues().forEach(each -> recommended.add(ConfigDef.convertToString(each, type)));
        texts(node.putArray("errors"), value.errorMessages());
        node.put("visible", value.visible());
        return node;
    }

    private static void texts(ArrayNode into, List<String> texts) {
        if (texts != null) {
            texts.forEach(into::add);
        }
    }
}
