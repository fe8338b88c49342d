import io.apicurio.registry.utils.converter.avro.AvroData;
import io.apicurio.registry.utils.converter.avro.AvroDataConfig;

import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;

import java.io.ByteArrayOutputStream;
import java.util.HashMap;
import java.util.Map;

/**
 * How many payments a second, on one core, Java's mapping between Connect and Avro reads and writes: what the group `avro` of the
 * bench `stages` stands beside. Without the registry, which both ask once.
 *
 * <pre>
 *   javac -cp "JARS/*" -d CLASSES benches/java/AvroBench.java
 *   taskset -c 0 java -XX:+UseSerialGC -cp "CLASSES:JARS/*" AvroBench
 * </pre>
 *
 * JARS: io.apicurio:apicurio-registry-utils-converter:2.6.13.Final and what it needs.
 */
public class AvroBench {
    private static final int ROWS = 16_384;
    private static final int ROUNDS = 60;

    public static void main(String[] arguments) throws Exception {
        Schema schema = SchemaBuilder.struct()
            .field("id", Schema.OPTIONAL_INT64_SCHEMA).field("buyer", Schema.OPTIONAL_STRING_SCHEMA)
            .field("country", Schema.OPTIONAL_STRING_SCHEMA).field("amount", Schema.OPTIONAL_FLOAT64_SCHEMA)
            .field("ok", Schema.OPTIONAL_BOOLEAN_SCHEMA).field("ts", Schema.OPTIONAL_INT64_SCHEMA).build();
        String[] countries = {"DE", "FR", "IT", "ES", "PL", "NL", "SE", "AT"};
        Struct[] payments = new Struct[ROWS];
        for (int i = 0; i < ROWS; i++) {
            payments[i] = new Struct(schema).put("id", 10_000_000L + i).put("buyer", "b-" + (10_000_000 + i * 7919 % 1_000_000))
                .put("country", countries[i % 8]).put("amount", 1000 + i % 9000 + 0.25).put("ok", i % 4 != 0)
                .put("ts", 1_700_000_000_000L + i * 3);
        }
        Map<String, Object> settings = new HashMap<>();
        settings.put("schemas.cache.config", "1000");
        AvroData data = new AvroData(new AvroDataConfig(settings));
        org.apache.avro.Schema avro = data.fromConnectSchema(schema);
        byte[][] messages = new byte[ROWS][];
        for (int round = 0; round < ROUNDS; round++) {
            long start = System.nanoTime();
            BinaryEncoder encoder = null;
            GenericDatumWriter<Object> writer = new GenericDatumWriter<>(avro);
            for (int i = 0; i < ROWS; i++) {
                ByteArrayOutputStream out = new ByteArrayOutputStream();
                out.write(new byte[5]);
                encoder = EncoderFactory.get().directBinaryEncoder(out, encoder);
                writer.write(data.fromConnectData(schema, payments[i]), encoder);
                encoder.flush();
                messages[i] = out.toByteArray();
            }
            print("encode", round, start);
            start = System.nanoTime();
            BinaryDecoder decoder = null;
            GenericDatumReader<Object> reader = new GenericDatumReader<>(avro);
            long sum = 0;
            for (int i = 0; i < ROWS; i++) {
                decoder = DecoderFactory.get().binaryDecoder(messages[i], 5, messages[i].length - 5, decoder);
                SchemaAndValue value = data.toConnectData(avro, reader.read(null, decoder));
                sum += ((Struct) value.value()).getInt64("id");
            }
            print("decode", round, start);
            if (sum == 0) {
                throw new IllegalStateException();
            }
        }
    }

    private static void print(String what, int round, long start) {
        if (round >= ROUNDS - 3) {
            System.out.printf("%s: %.2f million a second%n", what, ROWS * 1e3 / (System.nanoTime() - start));
        }
    }
}
