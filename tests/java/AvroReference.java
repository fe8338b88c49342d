import io.apicurio.registry.utils.converter.avro.AvroData;
import io.apicurio.registry.utils.converter.avro.AvroDataConfig;

import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.kafka.connect.data.Date;
import org.apache.kafka.connect.data.Decimal;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.data.Time;
import org.apache.kafka.connect.data.Timestamp;
import org.apache.kafka.connect.json.JsonConverter;

import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * Asks a Java implementation of Connect's mapping to Avro what it makes of schemas and values, and writes the answers down: the
 * test data of engine/converters/src/avro/testdata.
 *
 * <pre>
 *   AvroReference connect &lt; cases   settings, envelope → settings, envelope, Avro schema, bytes, envelope read back
 *   AvroReference avro &lt; cases      settings, Avro schema, value in Avro's JSON → settings, Avro schema, bytes, envelope
 *   AvroReference random COUNT      cases for `connect`, always the same ones
 * </pre>
 *
 * Columns are separated by tabs; settings are `key=value,key=value`. Needs the jars of
 * io.apicurio:apicurio-registry-utils-converter:2.6.13.Final and Kafka's connect-json.
 */
public class AvroReference {
    private static final JsonConverter JSON = new JsonConverter();

    public static void main(String[] arguments) throws Exception {
        JSON.configure(Map.of("schemas.enable", "true", "replace.null.with.default", "false"), false);
        if (arguments[0].equals("random")) {
            Random random = new Random(4711);
            for (int i = 0; i < Integer.parseInt(arguments[1]); i++) {
                System.out.println("\t" + envelope(new Values(random).next()));
            }
            return;
        }
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = lines.readLine()) != null; ) {
            if (line.startsWith("#") || line.isEmpty()) {
                System.out.println(line);
                continue;
            }
            String[] columns = line.split("\t", -1);
            AvroData data = new AvroData(new AvroDataConfig(settings(columns[0])));
            System.out.println(arguments[0].equals("connect") ? ofConnect(data, columns) : ofAvro(data, columns));
        }
    }

    private static Map<String, Object> settings(String text) {
        Map<String, Object> settings = new HashMap<>();
        for (String pair : text.isEmpty() ? new String[0] : text.split(",")) {
            settings.put(pair.split("=")[0], pair.split("=")[1]);
        }
        return settings;
    }

    private static String ofConnect(AvroData data, String[] columns) {
        String start = columns[0] + "\t" + columns[1] + "\t";
        try {
            SchemaAndValue given = JSON.toConnectData("topic", columns[1].getBytes(StandardCharsets.UTF_8));
            org.apache.avro.Schema schema = data.fromConnectSchema(given.schema());
            byte[] bytes = bytes(schema, data.fromConnectData(given.schema(), given.value()));
            return start + schema + "\t" + HexFormat.of().formatHex(bytes) + "\t" + readBack(data, schema, bytes);
        } catch (Exception | StackOverflowError e) {
            return start + "\t\t" + refusal(e);
        }
    }

    private static String ofAvro(AvroData data, String[] columns) {
        String start = columns[0] + "\t" + columns[1] + "\t";
        try {
            org.apache.avro.Schema schema = new org.apache.avro.Schema.Parser().parse(columns[1]);
            Object value = new GenericDatumReader<>(schema).read(null, DecoderFactory.get().jsonDecoder(schema, columns[2]));
            byte[] bytes = bytes(schema, value);
            return start + HexFormat.of().formatHex(bytes) + "\t" + readBack(data, schema, bytes);
        } catch (Exception | StackOverflowError e) {
            return start + "\t" + refusal(e);
        }
    }

    private static String refusal(Throwable e) {
        return "refused " + e.getClass().getSimpleName() + ": " + String.valueOf(e.getMessage()).replaceAll("[\\t\\n]", " ");
    }

    private static byte[] bytes(org.apache.avro.Schema schema, Object value) throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        var encoder = EncoderFactory.get().binaryEncoder(out, null);
        Object bare = value instanceof io.apicurio.registry.serde.avro.NonRecordContainer container ? container.getValue() : value;
        new GenericDatumWriter<>(schema).write(bare, encoder);
        encoder.flush();
        return out.toByteArray();
    }

    private static String readBack(AvroData data, org.apache.avro.Schema schema, byte[] bytes) throws Exception {
        Object value = new GenericDatumReader<>(schema).read(null, DecoderFactory.get().binaryDecoder(bytes, null));
        SchemaAndValue read = data.toConnectData(schema, value);
        return read == null ? "null" : envelope(read);
    }

    private static String envelope(SchemaAndValue value) {
        return new String(JSON.fromConnectData("topic", value.schema(), value.value()), StandardCharsets.UTF_8);
    }

    /** Random schemas with values. */
    private record Values(Random random) {
        SchemaAndValue next() {
            Schema schema = struct(0, "x.Root" + random.nextInt(5));
            return new SchemaAndValue(schema, value(schema));
        }

        private Schema struct(int depth, String name) {
            SchemaBuilder builder = SchemaBuilder.struct();
            if (name != null) {
                builder.name(name);
            }
            attributes(builder, depth);
            for (int i = 0, fields = 1 + random.nextInt(5); i < fields; i++) {
                builder.field("f" + i, schema(depth + 1));
            }
            return builder.build();
        }

        private void attributes(SchemaBuilder builder, int depth) {
            if (random.nextInt(6) == 0) {
                builder.doc("doc " + random.nextInt(9));
            }
            if (random.nextInt(6) == 0) {
                builder.version(1 + random.nextInt(9));
            }
            if (random.nextInt(6) == 0) {
                builder.parameter("p" + random.nextInt(3), "v" + random.nextInt(9));
            }
            if (depth > 0 && random.nextInt(3) == 0) {
                builder.optional();
            }
        }

        private Schema schema(int depth) {
            SchemaBuilder builder = switch (random.nextInt(depth > 3 ? 13 : 16)) {
                case 0 -> SchemaBuilder.int8();
                case 1 -> SchemaBuilder.int16();
                case 2 -> SchemaBuilder.int32();
                case 3 -> SchemaBuilder.int64();
                case 4 -> SchemaBuilder.float32();
                case 5 -> SchemaBuilder.float64();
                case 6 -> SchemaBuilder.bool();
                case 7 -> SchemaBuilder.string();
                case 8 -> SchemaBuilder.bytes();
                case 9 -> Decimal.builder(random.nextInt(5));
                case 10 -> Date.builder();
                case 11 -> Time.builder();
                case 12 -> Timestamp.builder();
                case 13 -> SchemaBuilder.array(schema(depth + 1));
                case 14 -> SchemaBuilder.map(random.nextBoolean() ? Schema.STRING_SCHEMA : Schema.INT32_SCHEMA, schema(depth + 1));
                default -> null;
            };
            if (builder == null) {
                return struct(depth, random.nextBoolean() ? null : "x.y.N" + random.nextInt(1_000_000));
            }
            boolean isLogical = builder.name() != null;
            if (!isLogical && random.nextInt(8) == 0) {
                builder.name("named." + builder.type().getName());
            }
            if (isLogical) {
                if (random.nextInt(3) == 0) {
                    builder.optional();
                }
            } else {
                attributes(builder, depth);
                if (builder.type().isPrimitive() && random.nextInt(4) == 0) {
                    builder.defaultValue(value(builder.build()));
                }
            }
            return builder.build();
        }

        private Object value(Schema schema) {
            if (schema.isOptional() && random.nextInt(3) == 0) {
                return null;
            }
            if (schema.name() != null) {
                switch (schema.name()) {
                    case Decimal.LOGICAL_NAME:
                        int scale = Integer.parseInt(schema.parameters().get("scale"));
                        return new BigDecimal(new BigInteger(1 + random.nextInt(100), random).subtract(BigInteger.TEN), scale);
                    case Date.LOGICAL_NAME:
                        return Date.toLogical(schema, random.nextInt(40_000) - 10_000);
                    case Time.LOGICAL_NAME:
                        return Time.toLogical(schema, random.nextInt(86_400_000));
                    case Timestamp.LOGICAL_NAME:
                        return Timestamp.toLogical(schema, random.nextLong() >> 20);
                    default:
                }
            }
            return switch (schema.type()) {
                case INT8 -> (byte) random.nextInt();
                case INT16 -> (short) random.nextInt();
                case INT32 -> random.nextInt();
                case INT64 -> random.nextLong() >> random.nextInt(64);
                case FLOAT32 -> random.nextFloat() * 1000;
                case FLOAT64 -> random.nextDouble() * 1e6;
                case BOOLEAN -> random.nextBoolean();
                case STRING -> List.of("", "text", "Grüße", "日本", "quote\"d", "line\nend").get(random.nextInt(6));
                case BYTES -> {
                    byte[] bytes = new byte[random.nextInt(6)];
                    random.nextBytes(bytes);
                    yield java.nio.ByteBuffer.wrap(bytes);
                }
                case ARRAY -> {
                    List<Object> items = new ArrayList<>();
                    for (int i = random.nextInt(4); i > 0; i--) {
                        items.add(value(schema.valueSchema()));
                    }
                    yield items;
                }
                case MAP -> {
                    Map<Object, Object> map = new LinkedHashMap<>();
                    // one entry: Java's maps have no order to compare
                    if (random.nextBoolean()) {
                        map.put(value(schema.keySchema()), value(schema.valueSchema()));
                    }
                    yield map;
                }
                case STRUCT -> {
                    Struct struct = new Struct(schema);
                    for (org.apache.kafka.connect.data.Field field : schema.fields()) {
                        struct.put(field, value(field.schema()));
                    }
                    yield struct;
                }
            };
        }
    }
}
