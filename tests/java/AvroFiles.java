import org.apache.avro.Schema;
import org.apache.avro.file.CodecFactory;
import org.apache.avro.file.DataFileWriter;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;

import java.io.File;
import java.io.FileOutputStream;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/**
 * Writes an object container file for each codec: the test data of engine/converters/src/avro/container/testdata.
 *
 * <pre>
 *   AvroFiles DIRECTORY
 * </pre>
 *
 * Needs the jars of org.apache.avro:avro:1.12.0, and those of its codecs: snappy-java, zstd-jni, commons-compress.
 */
public class AvroFiles {
    private static final String SCHEMA = """
        {"type":"record","name":"Order","namespace":"shop","fields":[
        {"name":"id","type":"long"},
        {"name":"note","type":["null","string"],"default":null},
        {"name":"price","type":{"type":"bytes","logicalType":"decimal","precision":20,"scale":2}},
        {"name":"tags","type":{"type":"array","items":"string"}},
        {"name":"stock","type":{"type":"map","values":"int"}},
        {"name":"state","type":{"type":"enum","name":"State","symbols":["OPEN","SENT"]}},
        {"name":"key","type":{"type":"fixed","name":"Key","size":4}},
        {"name":"weight","type":"double"},
        {"name":"height","type":"float"},
        {"name":"good","type":"boolean"},
        {"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}}]}""";

    public static void main(String[] arguments) throws Exception {
        Schema schema = new Schema.Parser().parse(SCHEMA);
        for (String codec : List.of("null", "deflate", "snappy", "bzip2", "zstandard")) {
            File file = new File(arguments[0], "java_" + codec + ".avro");
            try (DataFileWriter<GenericRecord> writer = new DataFileWriter<>(new GenericDatumWriter<>(schema))) {
                writer.setCodec(CodecFactory.fromString(codec));
                writer.setMeta("written.by", "Java");
                byte[] sync = HexFormat.of().parseHex("000102030405060708090a0b0c0d0e0f");
                writer.create(schema, new FileOutputStream(file), sync);
                for (int i = 0; i < 5; i++) {
                    writer.append(order(schema, i));
                    if (i == 2) {
                        writer.sync(); // ends a block
                    }
                }
            }
        }
    }

    private static GenericRecord order(Schema schema, int i) {
        GenericRecord order = new GenericData.Record(schema);
        order.put("id", i * 1000L - 1);
        order.put("note", i % 2 == 0 ? null : "Grüße " + i);
        order.put("price", ByteBuffer.wrap(BigInteger.valueOf(i * 12_345L - 200).toByteArray()));
        order.put("tags", i == 0 ? List.of() : List.of("a", "b" + i));
        order.put("stock", i == 1 ? Map.of() : Map.of("x", -i));
        order.put("state", new GenericData.EnumSymbol(schema.getField("state").schema(), i % 2 == 0 ? "OPEN" : "SENT"));
        order.put("key", new GenericData.Fixed(schema.getField("key").schema(), new byte[] {0, 1, -1, (byte) i}));
        order.put("weight", i / 4.0);
        order.put("height", -i / 8f);
        order.put("good", i % 3 == 0);
        order.put("at", i * 86_400_000L - 1);
        return order;
    }
}
