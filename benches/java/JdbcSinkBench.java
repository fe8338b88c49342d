import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.Timestamp;
import java.sql.Types;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Properties;

/**
 * A topic of rows in Avro into a table of PostgreSQL, in the way of Java's sinks for JDBC: batches of 3000 rows by
 * {@code executeBatch}, which the driver writes as statements of many rows. Without a worker, transformations and offsets: the best
 * that such a sink can do. The bench {@code databases} runs it.
 *
 * Arguments: brokers, topic, URL, user, table, {@code insert} or {@code upsert}, the schema.
 */
public class JdbcSinkBench {
    private static final int BATCH = 3000;

    public static void main(String[] arguments) throws Exception {
        Schema schema = new Schema.Parser().parse(arguments[6]);
        Properties settings = new Properties();
        settings.put("bootstrap.servers", arguments[0]);
        settings.put("enable.auto.commit", "false");
        // what one poll gives is put at once, as by Connect's worker
        settings.put("max.poll.records", Integer.toString(BATCH));
        try (KafkaConsumer<byte[], byte[]> consumer =
                 new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
             Connection connection = DriverManager.getConnection(arguments[2] + "?reWriteBatchedInserts=true", arguments[3], "")) {
            connection.setAutoCommit(false);
            List<TopicPartition> partitions = new ArrayList<>();
            consumer.partitionsFor(arguments[1]).forEach(info -> partitions.add(new TopicPartition(info.topic(), info.partition())));
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            long left = ends.values().stream().mapToLong(Long::longValue).sum();
            try (PreparedStatement statement = connection.prepareStatement(statement(schema, arguments[4], arguments[5]))) {
                GenericDatumReader<GenericRecord> reader = new GenericDatumReader<>(schema);
                BinaryDecoder decoder = null;
                GenericRecord row = null;
                while (left > 0) {
                    for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofSeconds(5))) {
                        byte[] value = record.value();
                        decoder = DecoderFactory.get().binaryDecoder(value, 5, value.length - 5, decoder);
                        row = reader.read(row, decoder);
                        bind(statement, schema, row);
                        left--;
                    }
                    statement.executeBatch();
                    connection.commit();
                }
            }
        }
    }

    private static String statement(Schema schema, String table, String mode) {
        List<String> names = new ArrayList<>();
        List<String> updates = new ArrayList<>();
        for (Schema.Field field : schema.getFields()) {
            names.add('"' + field.name() + '"');
            updates.add('"' + field.name() + "\"=EXCLUDED.\"" + field.name() + '"');
        }
        String places = String.join(",", Collections.nCopies(names.size(), "?"));
        String insert = "INSERT INTO \"" + table + "\" (" + String.join(",", names) + ") VALUES (" + places + ")";
        if (mode.equals("insert")) {
            return insert;
        }
        return insert + " ON CONFLICT (\"id\") DO UPDATE SET " + String.join(",", updates.subList(1, updates.size()));
    }

    private static void bind(PreparedStatement statement, Schema schema, GenericRecord row) throws Exception {
        for (Schema.Field field : schema.getFields()) {
            int place = field.pos() + 1;
            Object value = row.get(field.pos());
            Schema type = field.schema();
            if (value == null) {
                statement.setNull(place, Types.VARCHAR);
            } else if (type.getLogicalType() != null) {
                statement.setTimestamp(place, new Timestamp((Long) value));
            } else if (value instanceof CharSequence) {
                statement.setString(place, value.toString());
            } else if (value instanceof Long) {
                statement.setLong(place, (Long) value);
            } else if (value instanceof Integer) {
                statement.setInt(place, (Integer) value);
            } else if (value instanceof Double) {
                statement.setDouble(place, (Double) value);
            } else {
                statement.setBoolean(place, (Boolean) value);
            }
        }
        statement.addBatch();
    }
}
