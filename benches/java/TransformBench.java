import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.transforms.Cast;
import org.apache.kafka.connect.transforms.ExtractField;
import org.apache.kafka.connect.transforms.InsertField;
import org.apache.kafka.connect.transforms.RegexRouter;
import org.apache.kafka.connect.transforms.ReplaceField;
import org.apache.kafka.connect.transforms.Transformation;
import org.apache.kafka.connect.transforms.ValueToKey;

import java.util.List;
import java.util.Map;

/** How many payments a second, on one core, pass chains of Kafka's transformations: beside the group {@code transforms} of {@code stages}. */
public class TransformBench {
    public static void main(String[] arguments) throws Exception {
        List<Transformation<SinkRecord>> keys = List.of(new ValueToKey<>(), new ExtractField.Key<>(), new RegexRouter<>());
        keys.get(0).configure(Map.of("fields", "id"));
        keys.get(1).configure(Map.of("field", "id"));
        keys.get(2).configure(Map.of("regex", "pay(.*)", "replacement", "all-pay$1"));
        List<Transformation<SinkRecord>> fields = List.of(new ReplaceField.Value<>(), new InsertField.Value<>(), new Cast.Value<>());
        fields.get(0).configure(Map.of("exclude", "country", "renames", "buyer:customer"));
        fields.get(1).configure(Map.of("topic.field", "source", "offset.field", "place"));
        fields.get(2).configure(Map.of("spec", "id:int32,amount:float32"));
        measure("ValueToKey, ExtractField$Key, RegexRouter", keys);
        measure("ReplaceField, InsertField, Cast", fields);
    }

    private static void measure(String what, List<Transformation<SinkRecord>> chain) throws Exception {
        Struct[] payments = Payments.structs();
        Payments.measure(what, () -> {
            long sum = 0;
            for (int i = 0; i < Payments.ROWS; i++) {
                SinkRecord row = new SinkRecord(Payments.TOPIC, 0, null, null, Payments.SCHEMA, payments[i], i, 1L, TimestampType.CREATE_TIME);
                for (Transformation<SinkRecord> transformation : chain) {
                    row = transformation.apply(row);
                }
                sum += row.topic().length();
            }
            return sum;
        });
    }
}
