package org.volley.plugins;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.errors.DataException;
import org.apache.kafka.connect.storage.Converter;

/** A converter of strings that tells of each call, and keeps something in the headers, as schema registries do. */
public class TellingConverter implements Converter, AutoCloseable {
    private String what;

    @Override
    public void configure(Map<String, ?> configs, boolean isKey) {
        what = isKey ? "key" : "value";
    }

    @Override
    public byte[] fromConnectData(String topic, Headers headers, Schema schema, Object value) {
        Say.called(this, "from " + what + " " + value);
        if ("where".equals(value)) {
            Say.where(this, "converter");
        }
        headers.add("id-of-" + what, new byte[] {'7'});
        return fromConnectData(topic, schema, value);
    }

    @Override
    public byte[] fromConnectData(String topic, Schema schema, Object value) {
        return value == null ? null : value.toString().getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public SchemaAndValue toConnectData(String topic, Headers headers, byte[] value) {
        if (headers.lastHeader("id-of-" + what) != null) {
            Say.say("header for " + what + " " + new String(headers.lastHeader("id-of-" + what).value(), StandardCharsets.UTF_8));
        }
        return toConnectData(topic, value);
    }

    @Override
    public SchemaAndValue toConnectData(String topic, byte[] value) {
        String text = value == null ? null : new String(value, StandardCharsets.UTF_8);
        Say.called(this, "to " + what + " " + text);
        if ("unreadable".equals(text)) {
            throw new DataException("unreadable bytes");
        }
        return new SchemaAndValue(Schema.OPTIONAL_STRING_SCHEMA, text);
    }

    @Override
    public void close() {
        Say.say("close converter of " + what);
    }
}
