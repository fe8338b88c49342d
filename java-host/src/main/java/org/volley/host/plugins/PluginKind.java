package org.volley.host.plugins;

import org.apache.kafka.connect.runtime.isolation.PluginType;

/** Kinds of plug-ins as the protocol names them. */
enum PluginKind {
    SOURCE("source", PluginType.SOURCE),
    SINK("sink", PluginType.SINK),
    CONVERTER("converter", PluginType.CONVERTER),
    HEADER_CONVERTER("header_converter", PluginType.HEADER_CONVERTER),
    TRANSFORMATION("transformation", PluginType.TRANSFORMATION),
    PREDICATE("predicate", PluginType.PREDICATE),
    CONFIG_PROVIDER("config_provider", PluginType.CONFIGPROVIDER),
    OVERRIDE_POLICY("override_policy", PluginType.CONNECTOR_CLIENT_CONFIG_OVERRIDE_POLICY),
    REST_EXTENSION("rest_extension", PluginType.REST_EXTENSION);

    final String text;
    final PluginType type;

    PluginKind(String text, PluginType type) {
        this.text = text;
        this.type = type;
    }

    static PluginKind of(PluginType type) {
        for (PluginKind kind : values()) {
            if (kind.type == type) {
                return kind;
            }
        }
        throw new IllegalArgumentException("Kafka has a kind of plug-in that this host does not know: " + type);
    }

    static PluginKind of(String text) {
        for (PluginKind kind : values()) {
            if (kind.text.equals(text)) {
                return kind;
            }
        }
        throw new IllegalArgumentException("There is no kind of plug-in `" + text + "`");
    }
}
