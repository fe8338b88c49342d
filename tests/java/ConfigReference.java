package org.apache.kafka.connect.storage;

import com.fasterxml.jackson.databind.ObjectMapper;

import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.connect.json.JsonConverter;
import org.apache.kafka.connect.runtime.RestartRequest;
import org.apache.kafka.connect.runtime.SessionKey;
import org.apache.kafka.connect.runtime.WorkerConfig;
import org.apache.kafka.connect.runtime.distributed.DistributedConfig;
import org.apache.kafka.connect.util.Callback;
import org.apache.kafka.connect.util.ConnectorTaskId;

import java.io.Writer;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;

/**
 * Asks Kafka Connect's own config store what the records of the config topic add up to, and writes the answers down: the
 * test data of engine/worker/src/storage. Everything random is seeded.
 *
 * <pre>
 *   jars="$HOME/.cache/volley/testbed/kafka/*"
 *   javac -cp "$jars" -d /tmp/config-reference tests/java/ConfigReference.java
 *   java -cp "/tmp/config-reference:$jars" org.apache.kafka.connect.storage.ConfigReference \
 *       engine/worker/src/storage/config/testdata/config_records.jsonl
 * </pre>
 */
public final class ConfigReference {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final List<String> NAMES = List.of("a", "b-0");
    private static final int HISTORIES = 30;

    private ConfigReference() {
    }

    public static void main(String[] args) throws Exception {
        try (Writer out = Files.newBufferedWriter(Path.of(args[0]))) {
            single(out);
            for (int seed = 0; seed < HISTORIES; seed++) {
                Store store = new Store(out, "history " + seed);
                Random random = new Random(seed);
                for (int i = 0; i < 25; i++)
                    randomRecord(store, random);
            }
        }
    }

    /** Every kind of record in every odd shape, after a connector with two tasks has been set up. */
    private static void single(Writer out) throws Exception {
        String[][] records = {
            {"connector-a", null}, {"connector-a", "null"}, {"connector-a", "[]"}, {"connector-a", "\"x\""},
            {"connector-a", "{}"}, {"connector-a", "{\"properties\":null}"}, {"connector-a", "{\"properties\":[]}"},
            {"connector-a", "{\"properties\":{}}"}, {"connector-a", "{\"properties\":{\"k\":null,\"l\":\"m\"}}"},
            {"connector-a", "{\"properties\":{\"z\":\"1\",\"a\":\"2\",\"z\":\"3\"},\"more\":1}"},
            {"connector-a", "{bad"}, {"connector-", "{\"properties\":{}}"}, {"connector-new", null},
            {"task-a-0", null}, {"task-a-0", "{}"}, {"task-a-0", "{\"properties\":{\"t\":\"new\"}}"}, {"task-a-x", "{\"properties\":{}}"},
            {"task-a-99999999999", "{\"properties\":{}}"}, {"task-0", "{\"properties\":{}}"}, {"task--0", "{\"properties\":{}}"},
            {"task-a--1", "{\"properties\":{}}"},
            {"commit-a", null}, {"commit-a", "[]"}, {"commit-a", "{\"tasks\":0}"}, {"commit-a", "{\"tasks\":1}"}, {"commit-a", "{\"tasks\":2}"},
            {"commit-unknown", "{\"tasks\":0}"}, {"commit-unknown", null},
            {"target-state-a", null}, {"target-state-a", "null"}, {"target-state-a", "[]"}, {"target-state-a", "{}"},
            {"target-state-a", "{\"state\":\"PAUSED\"}"}, {"target-state-a", "{\"state\":\"PAUSED\",\"state.v2\":\"STOPPED\"}"},
            {"target-state-a", "{\"state\":\"PAUSED\",\"state.v2\":7}"}, {"target-state-a", "{\"state\":\"PAUSED\",\"state.v2\":null}"},
            {"target-state-a", "{\"state\":\"PAUSED\",\"state.v2\":\"DANCING\"}"}, {"target-state-a", "{\"state\":\"DANCING\"}"},
            {"target-state-a", "{\"state\":\"paused\"}"}, {"target-state-a", "{\"state\":\"STARTED\"}"},
            {"target-state-unknown", "{\"state\":\"PAUSED\"}"}, {"target-state-unknown", null},
            {"restart-connector-a", "{\"include-tasks\":true,\"only-failed\":false}"}, {"restart-connector-a", "{\"include-tasks\":true}"},
            {"restart-connector-a", "{\"include-tasks\":\"true\",\"only-failed\":1}"}, {"restart-connector-a", "{}"},
            {"restart-connector-a", null}, {"restart-connector-a", "[]"}, {"restart-connector-unknown", "{}"},
            {"tasks-fencing-a", "{\"task-count\":2}"}, {"tasks-fencing-unknown", "{\"task-count\":3}"}, {"tasks-fencing-a", null}, {"tasks-fencing-a", "[]"},
            {"session-key", null}, {"session-key", "[]"}, {"session-key", "{\"key\":\"a2V5\",\"algorithm\":\"HmacSHA256\",\"creation-timestamp\":17}"},
            {"session-key", "{\"key\":\"a2V5\",\"algorithm\":\"HmacSHA256\"}"}, {"session-key", "{\"key\":7,\"algorithm\":\"HmacSHA256\",\"creation-timestamp\":17}"},
            {"session-key-2", "{\"key\":\"a2V5\",\"algorithm\":\"HmacSHA256\",\"creation-timestamp\":17}"},
            {"session-key", "{\"key\":\"a2V5\",\"algorithm\":\"HmacSHA256\",\"creation-timestamp\":1.5}"},
            {"logger-cluster-org.x", "{\"level\":\"DEBUG\"}"}, {"logger-cluster-org.x", null}, {"logger-cluster-org.x", "{\"level\":7}"},
            {"logger-cluster-", "{\"level\":\"DEBUG\"}"},
            {"unknown", "{}"}, {"", "{}"}, {"connector", "{}"}, {"targetstate-a", null},
        };
        for (String[] record : records) {
            Store store = new Store(out, "after two tasks: " + record[0] + " " + record[1]);
            store.isSilent = true;
            store.connector("a", "1");
            store.task("a", 0, "0");
            store.task("a", 1, "1");
            store.commit("a", 2);
            store.isSilent = false;
            store.read(record[0], record[1]);
            store.isSilent = true;
            store.connector("a", "2");
            store.isSilent = false;
            store.commit("a", 0);
        }
    }

    private static void randomRecord(Store store, Random random) throws Exception {
        String name = NAMES.get(random.nextInt(3) / 2);
        String value = String.valueOf(random.nextInt(3));
        switch (random.nextInt(16)) {
            case 0, 1, 2 -> store.connector(name, value);
            case 3 -> store.read("connector-" + name, null);
            case 4, 5, 6, 7 -> store.task(name, random.nextInt(3), value);
            case 8, 9, 10 -> store.commit(name, random.nextInt(4));
            case 11 -> store.read("target-state-" + name, "{\"state\":\"PAUSED\",\"state.v2\":\"" + List.of("PAUSED", "STOPPED", "STARTED").get(random.nextInt(3)) + "\"}");
            case 12 -> store.read("target-state-" + name, null);
            case 13 -> store.read("tasks-fencing-" + name, "{\"task-count\":" + random.nextInt(3) + "}");
            case 14 -> store.read("restart-connector-" + name, "{\"only-failed\":" + random.nextBoolean() + "}");
            default -> store.read(List.of("nothing", "commit-" + name, "task-" + name + "-0").get(random.nextInt(3)), "[1]");
        }
    }

    private static final class Store {
        private final Writer out;
        private final String scenario;
        private final KafkaConfigBackingStore store;
        private final Callback<ConsumerRecord<String, byte[]>> reader;
        private final List<String> events = new ArrayList<>();
        private long offset = 5;
        /** Only the records are written down, not what they led to. */
        private boolean isSilent;

        @SuppressWarnings("unchecked")
        Store(Writer out, String scenario) throws Exception {
            this.out = out;
            this.scenario = scenario;
            JsonConverter converter = new JsonConverter();
            converter.configure(Map.of("schemas.enable", "false"), false);
            Map<String, String> config = new HashMap<>();
            config.put("bootstrap.servers", "127.0.0.1:1");
            config.put("group.id", "g");
            config.put("config.storage.topic", "configs");
            config.put("offset.storage.topic", "offsets");
            config.put("status.storage.topic", "statuses");
            config.put("key.converter", "org.apache.kafka.connect.json.JsonConverter");
            config.put("value.converter", "org.apache.kafka.connect.json.JsonConverter");
            DistributedConfig worker = new DistributedConfig(config);
            // Known already, so that no broker is asked.
            Field clusterId = WorkerConfig.class.getDeclaredField("kafkaClusterId");
            clusterId.setAccessible(true);
            clusterId.set(worker, "cluster");
            store = new KafkaConfigBackingStore(converter, worker, null, () -> null, "reference-");
            store.setUpdateListener(new Listener());
            Field started = KafkaConfigBackingStore.class.getDeclaredField("started");
            started.setAccessible(true);
            started.set(store, true);
            Constructor<?> constructor = Class.forName(KafkaConfigBackingStore.class.getName() + "$ConsumeCallback")
                .getDeclaredConstructor(KafkaConfigBackingStore.class);
            constructor.setAccessible(true);
            reader = (Callback<ConsumerRecord<String, byte[]>>) constructor.newInstance(store);
            write(null, null, -1);
        }

        void connector(String name, String value) throws Exception {
            read("connector-" + name, "{\"properties\":{\"k\":\"" + value + "\"}}");
        }

        void task(String name, int task, String value) throws Exception {
            read("task-" + name + "-" + task, "{\"properties\":{\"t\":\"" + value + "\"}}");
        }

        void commit(String name, int tasks) throws Exception {
            read("commit-" + name, "{\"tasks\":" + tasks + "}");
        }

        void read(String key, String value) throws Exception {
            byte[] bytes = value == null ? null : value.getBytes(StandardCharsets.UTF_8);
            events.clear();
            reader.onCompletion(null, new ConsumerRecord<>("configs", 0, offset, key, bytes));
            write(key, value, offset);
            offset += 2;
        }

        private void write(String key, String value, long at) throws Exception {
            ClusterConfigState state = store.snapshot();
            Map<String, Object> line = new LinkedHashMap<>();
            line.put("scenario", scenario);
            line.put("at", at);
            line.put("key", key);
            line.put("value", value);
            if (isSilent) {
                out.write(JSON.writeValueAsString(line) + "\n");
                return;
            }
            line.put("events", List.copyOf(events));
            line.put("offset", state.offset());
            SessionKey session = state.sessionKey();
            line.put("session_key", session == null ? null : List.of(Base64.getEncoder().encodeToString(session.key().getEncoded()),
                session.key().getAlgorithm(), session.creationTimestamp()));
            Map<String, Object> connectors = new LinkedHashMap<>();
            for (String name : new TreeSet<>(state.connectors())) {
                Map<String, Object> connector = new LinkedHashMap<>();
                connector.put("config", state.rawConnectorConfig(name));
                connector.put("target", state.targetState(name));
                connector.put("task_count", state.taskCount(name));
                List<Object> tasks = new ArrayList<>();
                for (ConnectorTaskId task : state.tasks(name))
                    tasks.add(state.rawTaskConfig(task));
                connector.put("tasks", tasks);
                List<Integer> known = new ArrayList<>();
                for (int task = 0; task < 5; task++)
                    if (state.rawTaskConfig(new ConnectorTaskId(name, task)) != null)
                        known.add(task);
                connector.put("known_tasks", known);
                connector.put("applied", state.appliedConnectorConfig(name));
                connectors.put(name, connector);
            }
            line.put("connectors", connectors);
            Map<String, Object> fencing = new LinkedHashMap<>();
            for (String name : List.of("a", "b-0", "unknown")) {
                List<Object> of = new ArrayList<>();
                of.add(state.taskConfigGeneration(name));
                of.add(state.taskCountRecord(name));
                of.add(state.pendingFencing(name));
                fencing.put(name, of);
            }
            line.put("fencing", fencing);
            out.write(JSON.writeValueAsString(line));
            out.write("\n");
        }

        private final class Listener implements ConfigBackingStore.UpdateListener {
            @Override
            public void onConnectorConfigRemove(String connector) {
                events.add("removed " + connector);
            }

            @Override
            public void onConnectorConfigUpdate(String connector) {
                events.add("updated " + connector);
            }

            @Override
            public void onTaskConfigUpdate(Collection<ConnectorTaskId> tasks) {
                events.add("tasks");
            }

            @Override
            public void onConnectorTargetStateChange(String connector) {
                events.add("target " + connector);
            }

            @Override
            public void onSessionKeyUpdate(SessionKey key) {
                events.add("session key");
            }

            @Override
            public void onRestartRequest(RestartRequest request) {
                events.add("restart " + request.connectorName() + " " + request.onlyFailed() + " " + request.includeTasks());
            }

            @Override
            public void onLoggingLevelUpdate(String namespace, String level) {
                events.add("level " + namespace + " " + level);
            }
        }
    }
}
