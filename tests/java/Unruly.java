package org.volley.tests;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.Type;
import org.apache.kafka.connect.connector.Task;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.sink.SinkConnector;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.sink.SinkTask;
import org.apache.kafka.connect.source.SourceConnector;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.source.SourceTask;

/** Plug-ins that do their work until they find a file, which says what trouble to make. */
public final class Unruly {
    private static final ConfigDef CONFIG = new ConfigDef().define("trouble", Type.STRING, Importance.HIGH, "The file to look for");

    private Unruly() {
    }

    /** Its only task numbers its records, one a poll: some hundred a second, or {@code count} as fast as it can. */
    public static class Source extends SourceConnector {
        private Map<String, String> config;

        @Override
        public String version() {
            return "1";
        }

        @Override
        public ConfigDef config() {
            return CONFIG;
        }

        @Override
        public void start(Map<String, String> given) {
            config = given;
        }

        @Override
        public Class<? extends Task> taskClass() {
            return Numbers.class;
        }

        @Override
        public List<Map<String, String>> taskConfigs(int maxTasks) {
            return List.of(config);
        }

        @Override
        public void stop() {
        }
    }

    /** The task of {@link Source}. */
    public static class Numbers extends SourceTask {
        private static final Map<String, String> PARTITION = Map.of("of", "numbers");

        private Path trouble;
        private String topic;
        private long count;
        private long next;

        @Override
        public String version() {
            return "1";
        }

        @Override
        public void start(Map<String, String> config) {
            trouble = Path.of(config.get("trouble"));
            topic = config.get("topic");
            count = Long.parseLong(config.getOrDefault("count", "0"));
            Map<String, Object> stored = context.offsetStorageReader().offset(PARTITION);
            next = stored == null ? 0 : (Long) stored.get("next");
        }

        @Override
        public List<SourceRecord> poll() throws InterruptedException {
            makeTrouble(trouble);
            if (next >= count) {
                Thread.sleep(5);
            }
            if (count > 0 && next >= count) {
                return null;
            }
            next++;
            return List.of(new SourceRecord(PARTITION, Map.of("next", next), topic, Schema.INT64_SCHEMA, next - 1));
        }

        @Override
        public void stop() {
        }
    }

    /** Its tasks append the values of their records to a file, one a line. */
    public static class Sink extends SinkConnector {
        private Map<String, String> config;

        @Override
        public String version() {
            return "1";
        }

        @Override
        public ConfigDef config() {
            return CONFIG;
        }

        @Override
        public void start(Map<String, String> given) {
            config = given;
        }

        @Override
        public Class<? extends Task> taskClass() {
            return Lines.class;
        }

        @Override
        public List<Map<String, String>> taskConfigs(int maxTasks) {
            List<Map<String, String>> configs = new ArrayList<>();
            for (int i = 0; i < maxTasks; i++) {
                configs.add(config);
            }
            return configs;
        }

        @Override
        public void stop() {
        }
    }

    /** The task of {@link Sink}. */
    public static class Lines extends SinkTask {
        private Path trouble;
        private Path file;

        @Override
        public String version() {
            return "1";
        }

        @Override
        public void start(Map<String, String> config) {
            trouble = Path.of(config.get("trouble"));
            file = Path.of(config.get("file"));
        }

        @Override
        public void put(Collection<SinkRecord> records) {
            if (records.isEmpty()) {
                return;
            }
            makeTrouble(trouble);
            StringBuilder lines = new StringBuilder();
            records.forEach(record -> lines.append(record.value()).append('\n'));
            try {
                Files.writeString(file, lines, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
            } catch (IOException error) {
                throw new IllegalStateException(error);
            }
        }

        @Override
        public void stop() {
        }
    }

    /** Cannot even be loaded. */
    public static class Broken extends Source {
        static final int LICENCE = Integer.parseInt("no licence");
    }

    private static void makeTrouble(Path trouble) {
        if (!Files.exists(trouble)) {
            return;
        }
        try {
            String which = Files.readString(trouble);
            // once, by one task, and when it is written
            if (which.isEmpty() || !Files.deleteIfExists(trouble)) {
                return;
            }
            switch (which) {
                case "exhaust" -> exhaust();
                case "exit" -> System.exit(7);
                case "hang" -> hang();
                default -> throw new IllegalStateException("no such trouble: " + which);
            }
        } catch (NoSuchFileException anotherTask) {
            // it makes the trouble
        } catch (IOException error) {
            throw new IllegalStateException(error);
        }
    }

    private static void exhaust() {
        List<byte[]> kept = new ArrayList<>();
        while (true) {
            kept.add(new byte[1 << 20]);
        }
    }

    /** Not even an interrupt ends it. */
    private static void hang() {
        while (true) {
            try {
                Thread.sleep(Long.MAX_VALUE);
            } catch (InterruptedException again) {
                continue;
            }
        }
    }
}
