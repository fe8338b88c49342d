import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.json.JsonConverter;

import java.util.Map;

/** How many payments a second, on one core, Kafka's JsonConverter reads and writes: beside the group {@code json} of {@code stages}. */
public class JsonBench {
    public static void main(String[] arguments) throws Exception {
        Struct[] payments = Payments.structs();
        for (boolean schemas : new boolean[] {false, true}) {
            JsonConverter converter = new JsonConverter();
            converter.configure(Map.of("schemas.enable", String.valueOf(schemas)), false);
            byte[][] messages = new byte[Payments.ROWS][];
            String with = schemas ? ", with schemas" : "";
            Payments.measure("JSON" + with + ", encode", () -> {
                for (int i = 0; i < Payments.ROWS; i++) {
                    messages[i] = converter.fromConnectData(Payments.TOPIC, Payments.SCHEMA, payments[i]);
                }
                return messages[0].length;
            });
            Payments.measure("JSON" + with + ", decode", () -> {
                long sum = 0;
                for (byte[] message : messages) {
                    SchemaAndValue value = converter.toConnectData(Payments.TOPIC, message);
                    sum += schemas ? ((Struct) value.value()).getInt64("id") : (Long) ((Map<?, ?>) value.value()).get("id");
                }
                return sum;
            });
        }
    }
}
