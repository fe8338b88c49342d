import io.apicurio.registry.utils.converter.avro.AvroData;
import io.apicurio.registry.utils.converter.avro.AvroDataConfig;

import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.data.Struct;

import java.io.ByteArrayOutputStream;
import java.util.Map;

/**
 * How many payments a second, on one core, Java's mapping between Connect and Avro reads and writes: what the group {@code avro} of
 * the bench {@code stages} stands beside. Without the registry, which both ask once.
 *
 * <pre>
 *   javac -cp "JARS/*" -d CLASSES benches/java/*.java
 *   taskset -c 0 java -XX:+UseSerialGC -cp "CLASSES:JARS/*" AvroBench
 * </pre>
 *
 * JARS: io.apicurio:apicurio-registry-utils-converter:2.6.13.Final and what it needs, org.apache.kafka:connect-json and
 * connect-transforms.
 */
public class AvroBench {
    public static void main(String[] arguments) throws Exception {
        Struct[] payments = Payments.structs();
        AvroData data = new AvroData(new AvroDataConfig(Map.of("schemas.cache.config", "1000")));
        org.apache.avro.Schema avro = data.fromConnectSchema(Payments.SCHEMA);
        byte[][] messages = new byte[Payments.ROWS][];
        Payments.measure("Avro, encode", () -> {
            BinaryEncoder encoder = null;
            GenericDatumWriter<Object> writer = new GenericDatumWriter<>(avro);
            for (int i = 0; i < Payments.ROWS; i++) {
                ByteArrayOutputStream out = new ByteArrayOutputStream();
                out.write(new byte[5]);
                encoder = EncoderFactory.get().directBinaryEncoder(out, encoder);
                writer.write(data.fromConnectData(Payments.SCHEMA, payments[i]), encoder);
                encoder.flush();
                messages[i] = out.toByteArray();
            }
            return messages[0].length;
        });
        Payments.measure("Avro, decode", () -> {
            BinaryDecoder decoder = null;
            GenericDatumReader<Object> reader = new GenericDatumReader<>(avro);
            long sum = 0;
            for (byte[] message : messages) {
                decoder = DecoderFactory.get().binaryDecoder(message, 5, message.length - 5, decoder);
                SchemaAndValue value = data.toConnectData(avro, reader.read(null, decoder));
                sum += ((Struct) value.value()).getInt64("id");
            }
            return sum;
        });
    }
}
