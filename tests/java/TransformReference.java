import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.connect.connector.ConnectRecord;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.header.ConnectHeaders;
import org.apache.kafka.connect.header.Header;
import org.apache.kafka.connect.json.JsonConverter;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.storage.SimpleHeaderConverter;
import org.apache.kafka.connect.transforms.Transformation;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Asks Kafka Connect's own transformations what they make of records, and writes the answers down: the test data of
 * engine/transforms/src/reference/testdata. Each line of standard input is a case, of which a third column stays and a second is replaced:
 *
 * <pre>
 *   {"class": "Cast$Value", "config": {"spec": "int8"}, "topic": "t", "partition": 0, "timestamp": 5,
 *    "headers": [["name", "text"]], "key": {"schema": …, "payload": …}, "value": {"schema": …, "payload": …}}
 * </pre>
 *
 * With "source": true the record is one of a source.
 *
 * The second column of the answer is the record that comes out, {"dropped": true}, or the exception; the third says why ours
 * differs, where it does.
 *
 * <pre>
 *   for cases in engine/transforms/src/reference/testdata/*.tsv; do
 *       java -cp "$HOME/.cache/volley/testbed/connect/*" tests/java/TransformReference.java &lt; $cases &gt; /tmp/answers &amp;&amp; mv /tmp/answers $cases
 *   done
 * </pre>
 *
 * A class whose name has a dot is one of another package. Those of Debezium, with cases in
 * engine/transforms/src/debezium/testdata, need its jars behind Kafka's in the class path: debezium-core, debezium-api and
 * debezium-common 3.4.0.Final, and jackson-datatype-jsr310; that of MongoDB needs debezium-connector-mongodb 3.4.0.Final, too. Maven's
 * dependency:copy-dependencies fetches them. The file whose
 * name ends with 2_7 is for debezium-core and debezium-api 2.7.4.Final, which still know `drop.tombstones`.
 *
 * Those of Aiven (engine/transforms/src/aiven/testdata) and of Jeremy Custenborder (engine/transforms/src/jcustenborder/testdata) are no
 * jars of Maven: compile the sources of github.com/Aiven-Open/transforms-for-apache-kafka-connect at 1.6.0 and
 * github.com/jcustenborder/kafka-connect-transform-common at 1bde822 (0.1.0-SNAPSHOT; with connect-utils-jackson 0.7.177 and
 * ws-commons-util beside it, and Time.SYSTEM in place of SystemTime, which Kafka 4.3 hides).
 *
 * With names of classes as arguments it writes down their keys: name, type, default and importance.
 */
public class TransformReference {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final long OFFSET = 7;

    private final JsonConverter converter = new JsonConverter();
    private final SimpleHeaderConverter headerConverter = new SimpleHeaderConverter();

    public static void main(String[] arguments) throws Exception {
        if (arguments.length > 0) {
            for (String name : arguments) {
                tellKeys(name);
            }
            return;
        }
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        TransformReference reference = new TransformReference();
        for (String line; (line = lines.readLine()) != null; ) {
            String[] parts = line.split("\t");
            String why = parts.length > 2 ? "\t" + parts[2] : "";
            out.println(parts[0] + "\t" + reference.answer(JSON.readTree(parts[0])) + why);
        }
        out.flush();
    }

    @SuppressWarnings("unchecked")
    private static void tellKeys(String name) throws Exception {
        for (ConfigDef.ConfigKey key : transformation(name).config().configKeys().values()) {
            Object value = key.defaultValue instanceof List ? String.join(",", (List<String>) key.defaultValue) : key.defaultValue;
            Object shown = key.hasDefault() ? value : "(required)";
            System.out.println(String.join("\t", name, key.name, key.type.toString(), "" + shown, key.importance.toString()));
        }
    }

    TransformReference() {
        converter.configure(Map.of("schemas.enable", "true", "replace.null.with.default", "false"), false);
    }

    @SuppressWarnings({"rawtypes", "unchecked"})
    private JsonNode answer(JsonNode given) {
        try {
            ConnectRecord record = record(given);
            Transformation transformation = transformation(given.get("class").asText());
            Map<String, String> config = new LinkedHashMap<>();
            given.get("config").fields().forEachRemaining(entry -> config.put(entry.getKey(), entry.getValue().asText()));
            transformation.configure(config);
            ConnectRecord transformed = transformation.apply(record);
            if (transformed == null) {
                return JSON.createObjectNode().put("dropped", true);
            }
            ObjectNode told = told(transformed);
            if (!Objects.equals(transformed.kafkaPartition(), record.kafkaPartition())) {
                told.put("partition", transformed.kafkaPartition());
            }
            return told;
        } catch (Exception | LinkageError e) {
            return JSON.createObjectNode().put("error", e.getClass().getName()).put("message", e.getMessage());
        }
    }

    @SuppressWarnings("rawtypes")
    private static Transformation transformation(String name) throws Exception {
        Class<?> type = Class.forName(name.contains(".") ? name : "org.apache.kafka.connect.transforms." + name);
        return (Transformation) type.getDeclaredConstructor().newInstance();
    }

    private ConnectRecord<?> record(JsonNode given) throws Exception {
        SchemaAndValue key = data(given.get("key"));
        SchemaAndValue value = data(given.get("value"));
        ConnectHeaders headers = new ConnectHeaders();
        for (JsonNode header : given.path("headers")) {
            byte[] text = header.get(1).asText().getBytes(StandardCharsets.UTF_8);
            SchemaAndValue parsed = headerConverter.toConnectHeader("t", header.get(0).asText(), text);
            headers.add(header.get(0).asText(), parsed);
        }
        Long timestamp = given.has("timestamp") ? given.get("timestamp").asLong() : null;
        if (given.path("source").asBoolean()) {
            return new SourceRecord(null, null, given.path("topic").asText("t"), given.path("partition").asInt(0), key.schema(),
                key.value(), value.schema(), value.value(), timestamp, headers);
        }
        return new SinkRecord(given.path("topic").asText("t"), given.path("partition").asInt(0), key.schema(), key.value(),
            value.schema(), value.value(), OFFSET, timestamp, TimestampType.CREATE_TIME, headers);
    }

    private SchemaAndValue data(JsonNode envelope) throws Exception {
        return converter.toConnectData("t", envelope == null || envelope.isNull() ? null : JSON.writeValueAsBytes(envelope));
    }

    private ObjectNode told(ConnectRecord<?> record) throws Exception {
        ObjectNode told = JSON.createObjectNode().put("topic", record.topic()).put("timestamp", record.timestamp());
        ArrayNode headers = told.putArray("headers");
        for (Header header : record.headers()) {
            byte[] text = headerConverter.fromConnectHeader("t", header.key(), header.schema(), header.value());
            ArrayNode one = headers.addArray().add(header.key());
            one.add(header.value() == null ? "null" : header.value().getClass().getSimpleName());
            one.add(text == null ? null : new String(text, StandardCharsets.UTF_8));
        }
        told.set("key", written(record.keySchema(), record.key()));
        told.set("value", written(record.valueSchema(), record.value()));
        return told;
    }

    private JsonNode written(Schema schema, Object value) throws Exception {
        try {
            byte[] bytes = converter.fromConnectData("t", schema, value);
            return bytes == null ? null : JSON.readTree(bytes);
        } catch (RuntimeException e) {
            if (schema == null) {
                ObjectNode envelope = JSON.createObjectNode().putNull("schema");
                return envelope.set("payload", JSON.valueToTree(withMillis(value)));
            }
            return JSON.createObjectNode().put("unwritable", e.toString());
        }
    }

    /** Times as numbers, since a converter writes none without a schema. */
    private static Object withMillis(Object value) {
        if (value instanceof Date) {
            return ((Date) value).getTime();
        }
        if (value instanceof Map) {
            Map<Object, Object> shown = new LinkedHashMap<>();
            ((Map<?, ?>) value).forEach((name, entry) -> shown.put(name, withMillis(entry)));
            return shown;
        }
        return value;
    }
}
