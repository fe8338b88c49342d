package org.volley.host.connector;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Map;
import org.apache.kafka.connect.json.JsonConverter;
import org.apache.kafka.connect.storage.OffsetUtils;
import org.volley.host.wire.Json;

/**
 * Source partitions and offsets as Kafka stores them: by its JSON converter without schemas. What is read back has its types: an Integer
 * that was written comes back as a Long.
 */
public final class OffsetJson {
    private static final JsonConverter CONVERTER = new JsonConverter();

    static {
        CONVERTER.configure(Map.of("schemas.enable", "false"), false);
    }

    private OffsetJson() {
    }

    /**
     * Throws a DataException for what Connect does not take as an offset, such as nested maps. Null stays null. Half of a surrogate pair
     * becomes a question mark, as in all JSON for the worker.
     */
    public static byte[] write(Map<String, ?> map) {
        if (map == null) {
            return null;
        }
        OffsetUtils.validateFormat(map);
        byte[] json = CONVERTER.fromConnectData("", null, map);
        return hasEscapes(json) ? rewritten(json) : json;
    }

    private static boolean hasEscapes(byte[] json) {
        for (byte one : json) {
            if (one == '\\') {
                return true;
            }
        }
        return false;
    }

    private static byte[] rewritten(byte[] json) {
        try {
            return Json.write(Json.read(json));
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
    }

    /** The converter's own map, as Kafka hands it on: also the order of its entries is what plug-ins say in messages. */
    @SuppressWarnings("unchecked")
    public static Map<String, Object> read(byte[] json) {
        Object value = json == null ? null : CONVERTER.toConnectData("", json).value();
        OffsetUtils.validateFormat(value);
        return (Map<String, Object>) value;
    }
}
