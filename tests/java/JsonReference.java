import com.fasterxml.jackson.databind.ObjectMapper;

import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.errors.DataException;
import org.apache.kafka.connect.json.JsonConverter;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.HexFormat;
import java.util.Map;

/**
 * Asks Kafka Connect's JsonConverter (schemas.enable=false) what it makes of bytes, and writes the answers down: the test data
 * of engine/converters/src/json/testdata. Each line of standard input is the hex of a message; lines of a second column stay
 * as they are.
 *
 * <pre>
 *   jars="$HOME/.cache/volley/testbed/connect/*"
 *   javac -cp "$jars" -d /tmp/json-reference tests/java/JsonReference.java
 *   cut -f1 engine/converters/src/json/testdata/not_quite_json.tsv |
 *       java -cp "/tmp/json-reference:$jars" JsonReference
 * </pre>
 */
public class JsonReference {
    public static void main(String[] arguments) throws Exception {
        JsonConverter converter = new JsonConverter();
        converter.configure(Map.of("schemas.enable", "false"), false);
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = lines.readLine()) != null; ) {
            System.out.println(line.startsWith("#") ? line : line + "\t" + told(converter, HexFormat.of().parseHex(line)));
        }
    }

    private static String told(JsonConverter converter, byte[] bytes) throws Exception {
        try {
            SchemaAndValue value = converter.toConnectData("topic", bytes);
            return value.value() == null ? "null" : new ObjectMapper().writeValueAsString(value.value());
        } catch (DataException e) {
            return "rejected";
        }
    }
}
