package org.volley.tests;

import java.io.IOException;
import java.io.InputStream;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import org.apache.kafka.common.config.ConfigData;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.Type;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.config.provider.ConfigProvider;
import org.apache.kafka.connect.connector.Task;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.source.SourceConnector;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.source.SourceTask;

/** A store of secrets that expire, and a connector that tells which of them it has got. */
public final class Secrets {
    private Secrets() {
    }

    /** What a file beside the classes says, if there is one. */
    private static String versionOfJar() {
        try (InputStream version = Secrets.class.getResourceAsStream("/version")) {
            return version == null ? "1" : new String(version.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException error) {
            throw new IllegalStateException(error);
        }
    }

    private static void tell(Path file, String line) {
        try {
            Files.writeString(file, line + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException error) {
            throw new IllegalStateException(error);
        }
    }

    /** Paths are property files in the directory {@code dir}. What it reads holds for {@code ttl} milliseconds, if that is given. */
    public static class Provider implements ConfigProvider {
        private Path directory;
        private Long ttl;

        @Override
        public void configure(Map<String, ?> params) {
            directory = Path.of(String.valueOf(params.get("dir")));
            Object given = params.get("ttl");
            ttl = given == null ? null : Long.valueOf(given.toString());
            tell(directory.resolve("calls"), "configure");
        }

        @Override
        public ConfigData get(String path) {
            throw new UnsupportedOperationException();
        }

        @Override
        public ConfigData get(String path, Set<String> keys) {
            if (path.equals("exit")) {
                Runtime.getRuntime().halt(3);
            }
            Properties secrets = new Properties();
            try (Reader reader = Files.newBufferedReader(directory.resolve(path))) {
                secrets.load(reader);
            } catch (IOException error) {
                throw new ConfigException("There are no secrets at " + path);
            }
            Map<String, String> values = new HashMap<>();
            keys.stream().filter(secrets::containsKey).forEach(key -> values.put(key, secrets.getProperty(key)));
            return ttl == null ? new ConfigData(values) : new ConfigData(values, ttl);
        }

        @Override
        public void close() {
            tell(directory.resolve("calls"), "close");
        }
    }

    /** Its instance and its only task tell the value of {@code secret} when they start, to the file {@code told}. */
    public static class Source extends SourceConnector {
        private Map<String, String> config;

        @Override
        public String version() {
            return versionOfJar();
        }

        @Override
        public ConfigDef config() {
            return new ConfigDef().define("secret", Type.PASSWORD, Importance.HIGH, "A secret").define("told", Type.STRING, Importance.HIGH, "A file");
        }

        @Override
        public void start(Map<String, String> given) {
            config = given;
            tell(Path.of(given.get("told")), "connector " + given.get("secret"));
        }

        @Override
        public Class<? extends Task> taskClass() {
            return Teller.class;
        }

        @Override
        public List<Map<String, String>> taskConfigs(int maxTasks) {
            return List.of(config);
        }

        @Override
        public void stop() {
        }
    }

    /** The task of {@link Source}, which also tells what {@code context.configs()} has whenever that is something else. */
    public static class Teller extends SourceTask {
        private Path told;
        private String last;

        @Override
        public String version() {
            return versionOfJar();
        }

        @Override
        public void start(Map<String, String> config) {
            told = Path.of(config.get("told"));
            tell(told, "task " + config.get("secret"));
        }

        @Override
        public List<SourceRecord> poll() throws InterruptedException {
            String now = current();
            if (!now.equals(last)) {
                tell(told, "configs " + now);
                last = now;
            }
            // each look at the configuration puts off the restart in Kafka Connect
            Thread.sleep(1500);
            return null;
        }

        /** Nobody's, while the store is away. */
        private String current() {
            try {
                return context.configs().get("secret");
            } catch (ConnectException | ConfigException away) {
                return "away";
            }
        }

        @Override
        public void stop() {
        }
    }
}
