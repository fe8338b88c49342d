package org.volley.host.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.volley.host.connector.OffsetJson;

/** JSON that the worker can read, whatever texts plug-ins have. */
class JsonTest {
    private static final String WHOLE = "whole \ud83d\ude00";

    @Test
    void halfASurrogatePairIsAQuestionMark() {
        assertEquals("{\"a\":\"cut ?\",\"b\":\"" + WHOLE + "\",\"? and\":\"\\n\"}",
                text(Json.write(Json.object().put("a", "cut \ud83d").put("b", WHOLE).put("\ude00 and", "\n"))));
    }

    @Test
    void halfASurrogatePairInAnOffsetIsAQuestionMark() {
        assertEquals("{\"file\":\"cut ?\"}", text(OffsetJson.write(Map.of("file", "cut \ud83d"))));
        assertEquals("{\"file\":\"" + WHOLE + " \\\\ \\n\"}", text(OffsetJson.write(Map.of("file", WHOLE + " \\ \n"))));
    }

    private static String text(byte[] json) {
        return new String(json, StandardCharsets.UTF_8);
    }
}
