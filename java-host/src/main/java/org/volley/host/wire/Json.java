package org.volley.host.wire;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/** JSON of frames. */
public final class Json {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private Json() {
    }

    public static ObjectNode object() {
        return JsonNodeFactory.instance.objectNode();
    }

    public static ArrayNode array() {
        return JsonNodeFactory.instance.arrayNode();
    }

    public static JsonNode read(byte[] bytes) throws IOException {
        return MAPPER.readTree(bytes);
    }

    /** In UTF-8. Half of a surrogate pair, which plug-ins that cut texts leave, becomes a question mark: the worker could not read it. */
    public static byte[] write(JsonNode node) {
        try {
            return MAPPER.writeValueAsString(node).getBytes(StandardCharsets.UTF_8);
        } catch (JsonProcessingException impossible) {
            throw new IllegalStateException("A tree of JSON can always be written", impossible);
        }
    }

    /** A frame whose body is this object. */
    public static FrameWriter frame(int kind, JsonNode body) {
        FrameWriter frame = new FrameWriter().begin(kind);
        frame.raw(write(body));
        return frame;
    }

    /** A member that has to be a text. */
    public static String text(JsonNode object, String member) {
        JsonNode value = object.path(member);
        if (!value.isTextual()) {
            throw new IllegalArgumentException("The request has no text `" + member + "`");
        }
        return value.textValue();
    }

    /** A member that is an object of texts, such as a configuration; null ones are kept. Empty where it is missing. */
    public static Map<String, String> texts(JsonNode object, String member) {
        Map<String, String> texts = new LinkedHashMap<>();
        object.path(member).properties().forEach(entry -> texts.put(entry.getKey(), entry.getValue().textValue()));
        return texts;
    }

    /** An object of texts. */
    public static ObjectNode ofTexts(Map<String, String> texts) {
        ObjectNode object = object();
        texts.forEach(object::put);
        return object;
    }
}
