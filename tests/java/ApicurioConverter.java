import io.apicurio.registry.utils.converter.AvroConverter;
import io.apicurio.registry.utils.converter.ExtJsonConverter;

import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.json.JsonConverter;
import org.apache.kafka.connect.storage.Converter;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.StringJoiner;

/**
 * Writes and reads messages with Apicurio's own converters, as a Connect worker calls them.
 *
 * <pre>
 *   ApicurioConverter write avro|json TOPIC KEY=VALUE… &lt; envelopes of JsonConverter   → messages
 *   ApicurioConverter read avro|json TOPIC KEY=VALUE… &lt; messages                      → envelopes
 * </pre>
 *
 * A message is its value in hex, and behind a tab its headers: `name=hex`, with a blank between them. Needs the jars of
 * io.apicurio:apicurio-registry-utils-converter:2.6.13.Final, its Avro serdes, and Kafka's connect-json.
 */
public class ApicurioConverter {
    private static final HexFormat HEX = HexFormat.of();

    public static void main(String[] arguments) throws Exception {
        JsonConverter json = new JsonConverter();
        json.configure(Map.of("schemas.enable", "true", "replace.null.with.default", "false"), false);
        Map<String, Object> settings = new HashMap<>();
        for (int i = 3; i < arguments.length; i++) {
            String[] pair = arguments[i].split("=", 2);
            settings.put(pair[0], pair[1]);
        }
        Converter converter = arguments[1].equals("avro") ? new AvroConverter<>() : new ExtJsonConverter();
        converter.configure(settings, false);
        String topic = arguments[2];
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = lines.readLine()) != null; ) {
            if (arguments[0].equals("write")) {
                SchemaAndValue given = json.toConnectData(topic, line.getBytes(StandardCharsets.UTF_8));
                Headers headers = new RecordHeaders();
                byte[] value = converter.fromConnectData(topic, headers, given.schema(), given.value());
                System.out.println(shown(value, headers));
            } else {
                String[] message = line.split("\t", -1);
                SchemaAndValue read = converter.toConnectData(topic, headers(message[1]), HEX.parseHex(message[0]));
                byte[] envelope = json.fromConnectData(topic, read.schema(), read.value());
                System.out.println(new String(envelope, StandardCharsets.UTF_8));
            }
        }
        System.exit(0);
    }

    private static String shown(byte[] value, Headers headers) {
        StringJoiner shown = new StringJoiner(" ");
        for (Header header : headers) {
            shown.add(header.key() + "=" + HEX.formatHex(header.value()));
        }
        return HEX.formatHex(value) + "\t" + shown;
    }

    private static Headers headers(String text) {
        Headers headers = new RecordHeaders();
        for (String pair : text.isEmpty() ? new String[0] : text.split(" ")) {
            headers.add(pair.split("=")[0], HEX.parseHex(pair.split("=", 2)[1]));
        }
        return headers;
    }
}
