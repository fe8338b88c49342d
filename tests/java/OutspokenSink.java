import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.connect.connector.Task;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.sink.SinkConnector;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.sink.SinkTask;

/** A sink that writes into a file what it is asked, and what it finds when it asks: a plug-in for tests/java_outspoken_sink.rs. */
public class OutspokenSink extends SinkConnector {
    private static final ConfigDef KEYS = new ConfigDef()
            .define("file", ConfigDef.Type.STRING, ConfigDef.Importance.HIGH, "Where it writes.")
            .define("secret", ConfigDef.Type.STRING, "", ConfigDef.Importance.LOW, "What its task tells with each record.")
            .define("pauses", ConfigDef.Type.BOOLEAN, false, ConfigDef.Importance.LOW, "Whether its task pauses with each put of records, and goes on with the next one of none.")
            .define("open", ConfigDef.Type.LONG, -1, ConfigDef.Importance.LOW, "The offset that its task goes to when it opens a partition.")
            .define("back", ConfigDef.Type.LONG, -1, ConfigDef.Importance.LOW, "The offset that its task goes back to once, at a record `last`.")
            .define("close", ConfigDef.Type.STRING, "", ConfigDef.Importance.LOW, "Whether its task fails when it closes.")
            .define("answer", ConfigDef.Type.STRING, "yes", ConfigDef.Importance.LOW, "To changed offsets.");
    private Map<String, String> config;

    @Override
    public String version() {
        return "1";
    }

    @Override
    public ConfigDef config() {
        return KEYS;
    }

    @Override
    public void start(Map<String, String> config) {
        this.config = config;
    }

    @Override
    public Class<? extends Task> taskClass() {
        return OutspokenTask.class;
    }

    @Override
    public List<Map<String, String>> taskConfigs(int maxTasks) {
        return Collections.nCopies(maxTasks, config);
    }

    @Override
    public boolean alterOffsets(Map<String, String> config, Map<TopicPartition, Long> offsets) {
        Map<String, Long> sorted = new TreeMap<>();
        offsets.forEach((partition, offset) -> sorted.put("partition " + partition.partition(), offset));
        write(config, "alter " + sorted);
        return switch (config.get("answer")) {
            case "yes" -> true;
            case "unsupported" -> throw new UnsupportedOperationException("not with this one");
            case "connect" -> throw new ConnectException("the offsets do not suit");
            case "fails" -> throw new IllegalStateException("it broke");
            default -> false;
        };
    }

    @Override
    public void stop() {
    }

    static void write(Map<String, String> config, String line) {
        try {
            Files.writeString(Path.of(config.get("file")), line + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    /** Its task. */
    public static class OutspokenTask extends SinkTask {
        private Map<String, String> config;
        private boolean wentBack;

        @Override
        public String version() {
            return "1";
        }

        @Override
        public void start(Map<String, String> config) {
            this.config = config;
        }

        @Override
        public void open(Collection<TopicPartition> partitions) {
            if (config.containsKey("open")) {
                partitions.forEach(partition -> context.offset(partition, Long.parseLong(config.get("open"))));
            }
        }

        @Override
        public void put(Collection<SinkRecord> records) {
            if (Boolean.parseBoolean(config.get("pauses"))) {
                TopicPartition[] all = context.assignment().toArray(new TopicPartition[0]);
                if (records.isEmpty()) {
                    context.resume(all);
                } else {
                    context.pause(all);
                }
            }
            for (SinkRecord record : records) {
                if ("last".equals(record.value()) && config.containsKey("back") && !wentBack) {
                    wentBack = true;
                    context.offset(new TopicPartition(record.topic(), record.kafkaPartition()), Long.parseLong(config.get("back")));
                }
                write(config, record.value() + " with " + config.get("secret") + ", now " + context.configs().get("secret"));
            }
        }

        @Override
        public Map<TopicPartition, OffsetAndMetadata> preCommit(Map<TopicPartition, OffsetAndMetadata> offsets) {
            Map<TopicPartition, OffsetAndMetadata> answer = new HashMap<>();
            offsets.forEach((partition, offset) ->
                    answer.put(partition, new OffsetAndMetadata(offset.offset(), "said at " + offset.offset())));
            return answer;
        }

        @Override
        public void close(Collection<TopicPartition> partitions) {
            write(config, "close");
            if ("fails".equals(config.get("close"))) {
                throw new ConnectException("could not write the last file");
            }
        }

        @Override
        public void stop() {
        }
    }
}
