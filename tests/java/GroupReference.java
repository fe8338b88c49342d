package org.apache.kafka.connect.runtime.distributed;

import com.fasterxml.jackson.databind.ObjectMapper;

import org.apache.kafka.clients.GroupRebalanceConfig;
import org.apache.kafka.common.message.JoinGroupResponseData.JoinGroupResponseMember;
import org.apache.kafka.common.metrics.Metrics;
import org.apache.kafka.common.utils.ExponentialBackoff;
import org.apache.kafka.common.utils.LogContext;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.connect.runtime.TargetState;
import org.apache.kafka.connect.storage.ClusterConfigState;
import org.apache.kafka.connect.util.ConnectorTaskId;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Supplier;

import javax.crypto.KeyGenerator;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Asks Kafka Connect's own classes what a leader assigns, how the messages of the group look, and how requests are
 * signed, and writes the answers down: the test data of engine/worker/src/group. Everything random is seeded, so that a
 * run against the same Kafka gives the same files.
 *
 * <pre>
 *   jars="$HOME/.cache/volley/testbed/kafka/*"
 *   javac -cp "$jars" -d /tmp/group-reference tests/java/GroupReference.java
 *   java -cp "/tmp/group-reference:$jars" org.apache.kafka.connect.runtime.distributed.GroupReference \
 *       engine/worker/src/group/testdata
 * </pre>
 */
public final class GroupReference {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int FIVE_MINUTES = 300_000;

    private GroupReference() {
    }

    public static void main(String[] args) throws Exception {
        Path directory = Path.of(args[0]);
        Files.createDirectories(directory);
        try (Writer out = Files.newBufferedWriter(directory.resolve("assignor.jsonl"))) {
            scenarios(new Lines(out));
        }
        try (Writer out = Files.newBufferedWriter(directory.resolve("histories.jsonl"))) {
            histories(new Lines(out));
        }
        try (Writer out = Files.newBufferedWriter(directory.resolve("messages.jsonl"))) {
            messages(new Lines(out));
        }
        try (Writer out = Files.newBufferedWriter(directory.resolve("orders.jsonl"))) {
            orders(new Lines(out));
        }
        try (Writer out = Files.newBufferedWriter(directory.resolve("signatures.jsonl"))) {
            signatures(new Lines(out));
        }
    }

    // ------------------------------------------------------------------------------------------------ assignments

    private static void scenarios(Lines out) {
        Cluster c = new Cluster(out, "a worker joins an empty group", ConnectProtocolCompatibility.SESSIONED, FIVE_MINUTES);
        c.configure("a", 2).configure("b", 3).join("w1").round();
        c.round();

        c = new Cluster(out, "workers join one by one", ConnectProtocolCompatibility.SESSIONED, FIVE_MINUTES);
        for (int i = 0; i < 7; i++)
            c.configure("connector-" + i, i);
        for (int i = 0; i < 5; i++)
            c.join("worker-" + i).round().round().after(100).round().after(2_000).round().after(70_000).round();

        c = new Cluster(out, "two workers join at once", ConnectProtocolCompatibility.COMPATIBLE, FIVE_MINUTES);
        c.configure("a", 9).configure("b", 4).configure("c", 1).join("x").round();
        c.join("y").join("z").round().round().after(50).round();

        c = new Cluster(out, "a worker is lost for good", ConnectProtocolCompatibility.SESSIONED, FIVE_MINUTES);
        c.configure("a", 4).configure("b", 4).join("w1").join("w2").join("w3").round().round();
        c.leave("w2").round().after(100_000).round().after(199_999).round().after(1).round().round();

        c = new Cluster(out, "a worker bounces within the delay", ConnectProtocolCompatibility.SESSIONED, FIVE_MINUTES);
        c.configure("a", 4).configure("b", 4).join("w1").join("w2").join("w3").round().round();
        c.leave("w2").round().after(30_000).join("w2-back").round().after(FIVE_MINUTES).round().round();

        c = new Cluster(out, "two workers bounce within the delay", ConnectProtocolCompatibility.SESSIONED, FIVE_MINUTES);
        c.configure("a", 8).configure("b", 5).configure("c", 1).join("w1").join("w2").join("w3").join("w4").round().round();
        c.leave("w2").leave("w3").round().after(10_000).join("w3-back").round().after(10_000).join("w2-back").round();
        c.after(10_000).join("extra").round().after(300_000).round().round().after(40).round();

        c = new Cluster(out, "a worker comes back too late", ConnectProtocolCompatibility.SESSIONED, 60_000);
        c.configure("a", 4).configure("b", 4).join("w1").join("w2").join("w3").round().round();
        c.leave("w1").round().after(60_000).round().join("w1-back").round().round().round();

        c = new Cluster(out, "a candidate leaves before the delay is over", ConnectProtocolCompatibility.SESSIONED, 60_000);
        c.configure("a", 4).configure("b", 4).join("w1").join("w2").join("w3").round().round();
        c.leave("w3").round().after(1_000).join("w4").round().after(1_000).leave("w4").round().after(60_000).round().round();

        c = new Cluster(out, "a second worker is lost while waiting for the first", ConnectProtocolCompatibility.SESSIONED, 60_000);
        c.configure("a", 6).configure("b", 6).join("w1").join("w2").join("w3").join("w4").round().round();
        c.leave("w3").round().after(30_000).leave("w4").round().after(30_000).round().round();

        c = new Cluster(out, "connectors come and go", ConnectProtocolCompatibility.SESSIONED, FIVE_MINUTES);
        c.join("w1").join("w2").join("w3").round().configure("a", 3).round().configure("b", 0).round();
        c.configure("b", 7).round().configure("c", 1).round().remove("a").round().round().remove("b").remove("c").round().round();

        c = new Cluster(out, "task counts change", ConnectProtocolCompatibility.SESSIONED, FIVE_MINUTES);
        c.configure("a", 3).configure("b", 3).join("w1").join("w2").round();
        c.configure("a", 10).round().round().configure("a", 1).round().round().configure("a", 0).round().round();
        c.configure("a", 4).configure("b", 8).round().round();

        c = new Cluster(out, "a connector is deleted while its worker is away", ConnectProtocolCompatibility.SESSIONED, FIVE_MINUTES);
        c.configure("a", 4).configure("b", 4).join("w1").join("w2").round().round();
        c.leave("w2").round().remove("a").after(1_000).round().after(1_000).join("w2-back").round().after(FIVE_MINUTES).round().round();

        c = new Cluster(out, "everything is deleted and created again", ConnectProtocolCompatibility.SESSIONED, FIVE_MINUTES);
        c.configure("a", 4).configure("b", 4).join("w1").join("w2").round().remove("a").remove("b").round().round();
        c.configure("a", 2).configure("b", 2).round().round();

        c = new Cluster(out, "the same is run twice", ConnectProtocolCompatibility.SESSIONED, FIVE_MINUTES);
        c.configure("a", 3).configure("b", 2).join("w1").join("w2").join("w3").round();
        c.hold("w2", List.of("a"), List.of("a-0", "a-1", "b-0")).round().round().round();

        c = new Cluster(out, "the same is run twice, and nothing is known of it", ConnectProtocolCompatibility.SESSIONED, FIVE_MINUTES);
        c.configure("a", 3).configure("b", 2).join("w1").join("w2");
        c.hold("w1", List.of("a", "b"), List.of("a-0", "a-1", "b-0")).hold("w2", List.of("a"), List.of("a-1", "a-2", "b-0", "b-1"));
        c.round().round().round().round();

        c = new Cluster(out, "deleted and run twice", ConnectProtocolCompatibility.SESSIONED, FIVE_MINUTES);
        c.configure("a", 3).configure("b", 2).join("w1").join("w2").round();
        c.hold("w1", List.of("a", "b"), List.of("a-0", "a-1", "b-0")).hold("w2", List.of("a"), List.of("a-1", "a-2", "b-0", "b-1"));
        c.remove("a").round().round().round();

        c = new Cluster(out, "revocations follow each other", ConnectProtocolCompatibility.SESSIONED, FIVE_MINUTES);
        for (int i = 0; i < 12; i++)
            c.configure("c" + i, 3);
        c.join("w1").round();
        for (int i = 2; i < 9; i++)
            c.join("w" + i).round();
        c.after(40).round().join("w9").round().after(39).round().after(1).round().join("w10").round().after(1_600).round();
        c.join("w11").round().join("w12").round().after(1_600).round().join("w13").round().after(64_000).round().after(300_000).round().round();

        c = new Cluster(out, "revocations follow each other without a delay", ConnectProtocolCompatibility.SESSIONED, 0);
        for (int i = 0; i < 6; i++)
            c.configure("c" + i, 3);
        c.join("w1").round();
        for (int i = 2; i < 7; i++)
            c.join("w" + i).round();
        c.round().leave("w3").round().round();

        c = new Cluster(out, "the delay is disabled", ConnectProtocolCompatibility.SESSIONED, 0);
        c.configure("a", 4).configure("b", 4).join("w1").join("w2").join("w3").round().round();
        c.leave("w2").round().join("w2").round().round().leave("w1").leave("w2").round().round();

        c = new Cluster(out, "the delay is one millisecond", ConnectProtocolCompatibility.SESSIONED, 1);
        c.configure("a", 4).configure("b", 4).join("w1").join("w2").join("w3").round().round();
        c.leave("w2").round().after(1).round().join("w4").round().join("w5").round().join("w6").round().after(1).round().round();

        c = new Cluster(out, "another worker becomes the leader", ConnectProtocolCompatibility.SESSIONED, FIVE_MINUTES);
        c.configure("a", 4).configure("b", 4).join("w1").join("w2").join("w3").round().round();
        c.leave("w1").newLeader().round().round().join("w1").round().round();

        c = new Cluster(out, "another worker becomes the leader while a worker is away", ConnectProtocolCompatibility.SESSIONED, FIVE_MINUTES);
        c.configure("a", 4).configure("b", 4).join("w1").join("w2").join("w3").round().round();
        c.leave("w1").round().after(1_000).newLeader().round().after(1_000).join("w1").round().round();

        c = new Cluster(out, "an assignment reaches nobody", ConnectProtocolCompatibility.SESSIONED, FIVE_MINUTES);
        c.configure("a", 4).configure("b", 4).join("w1").join("w2").roundThatIsLost().round();
        c.join("w3").roundThatIsLost().roundThatIsLost().round().round();
        c.leave("w3").roundThatIsLost().after(1_000).round().after(FIVE_MINUTES).round();

        c = new Cluster(out, "an assignment does not reach one worker", ConnectProtocolCompatibility.SESSIONED, FIVE_MINUTES);
        c.configure("a", 4).configure("b", 4).join("w1").join("w2").roundMissedBy("w2").round();
        c.join("w3").roundMissedBy("w1").round().round().configure("a", 6).roundMissedBy("w3").round().round();
        c.remove("b").roundMissedBy("w1", "w2").round().round();

        c = new Cluster(out, "a member says that it holds nothing any more", ConnectProtocolCompatibility.SESSIONED, FIVE_MINUTES);
        c.configure("a", 4).configure("b", 4).join("w1").join("w2").join("w3").round().round();
        c.hold("w2", List.of(), List.of()).round().round().forget("w3").round().round();

        c = new Cluster(out, "configurations do not fit together for a while", ConnectProtocolCompatibility.SESSIONED, FIVE_MINUTES);
        c.configure("a", 4).configure("b", 4).join("w1").join("w2").round();
        c.inconsistent("a", true).round().round().inconsistent("a", false).round().round();

        c = new Cluster(out, "the leader has not read far enough", ConnectProtocolCompatibility.SESSIONED, FIVE_MINUTES);
        c.configure("a", 4).configure("b", 4).join("w1").join("w2").round();
        c.behind(-3, -1).round().behind(-3, 0).round().behind(-3, 2).round().behind(0, 0).round();

        c = new Cluster(out, "eager", ConnectProtocolCompatibility.EAGER, FIVE_MINUTES);
        c.join("w2").round().join("w1").configure("b", 3).configure("a", 4).configure("c", 0).round().join("w10").round();
        c.leave("w1").round().remove("a").round().inconsistent("b", true).round().behind(-1, -1).round().behind(-1, 1).round();

        c = new Cluster(out, "names beyond ASCII", ConnectProtocolCompatibility.SESSIONED, FIVE_MINUTES);
        c.configure("\uD83D\uDE00", 3).configure("\uFF5E", 3).configure("Ä b/c", 2).configure("日本", 2).configure("x-1", 2);
        c.join("ü").join("\uD83D\uDE00-1").round().join("\uFF5E").round().round();

        c = new Cluster(out, "names beyond ASCII, eager", ConnectProtocolCompatibility.EAGER, FIVE_MINUTES);
        c.configure("\uD83D\uDE00", 3).configure("\uFF5E", 3).configure("Ä b/c", 2).join("\uFF5E").join("\uD83D\uDE00-1").round();

        c = new Cluster(out, "member ids as the broker makes them", ConnectProtocolCompatibility.SESSIONED, FIVE_MINUTES);
        Random random = new Random(7);
        for (int i = 0; i < 15; i++)
            c.configure("orders-" + i, i % 4);
        for (int i = 0; i < 20; i++) {
            c.join("connect-127.0.0.1:8083-" + new java.util.UUID(random.nextLong(), random.nextLong())).round();
            if (i % 5 == 4)
                c.after(FIVE_MINUTES).round().round().after(FIVE_MINUTES).round();
        }

        c = new Cluster(out, "member ids that collide", ConnectProtocolCompatibility.SESSIONED, FIVE_MINUTES);
        c.configure("BB", 5).configure("Aa", 5).configure("AaAa", 5).configure("BBBB", 5).configure("AaBB", 1);
        for (String id : List.of("AaBB", "BBAa", "BBBB", "AaAa", "CCCC"))
            c.join(id).round().after(FIVE_MINUTES).round();
    }

    /** Random lives of a group. */
    private static void histories(Lines out) {
        int[] delays = {FIVE_MINUTES, 60_000, 1_000, 0};
        for (int seed = 0; seed < 40; seed++) {
            Random random = new Random(seed);
            Cluster c = new Cluster(out, "history " + seed, ConnectProtocolCompatibility.SESSIONED, delays[seed % delays.length]);
            int next = 0;
            for (int i = 0; i < 2 + random.nextInt(3); i++)
                c.join(Integer.toHexString(random.nextInt()) + "-" + next++);
            for (int i = 0; i < random.nextInt(6); i++)
                c.configure("c" + i, random.nextInt(5));
            c.round();
            for (int i = 0; i < 14; i++) {
                switch (random.nextInt(12)) {
                    case 0, 1 -> c.join(Integer.toHexString(random.nextInt()) + "-" + next++);
                    case 2, 3 -> {
                        if (c.size() > 1)
                            c.leave(c.member(random.nextInt(c.size())));
                    }
                    case 4 -> c.configure("c" + random.nextInt(8), random.nextInt(7));
                    case 5 -> c.remove("c" + random.nextInt(8));
                    case 6 -> {
                        if (random.nextInt(3) == 0)
                            c.newLeader();
                    }
                    case 7 -> c.after(delays[seed % delays.length]);
                    case 8 -> c.after(random.nextInt(40_000));
                    default -> {
                    }
                }
                int luck = random.nextInt(20);
                if (luck == 0)
                    c.roundThatIsLost();
                else if (luck == 1)
                    c.roundMissedBy(c.member(random.nextInt(c.size())));
                else
                    c.round();
            }
            c.after(2L * FIVE_MINUTES).round().after(2L * FIVE_MINUTES).round().round();
        }
    }

    /** A group of workers, one of which leads. */
    private static final class Cluster {
        private final Lines out;
        private final String scenario;
        private final ConnectProtocolCompatibility protocol;
        private final int maxDelay;
        private final SetTime time = new SetTime();
        private final Map<String, ExtendedAssignment> members = new LinkedHashMap<>();
        private final Map<String, Integer> configured = new TreeMap<>();
        private final Set<String> inconsistent = new HashSet<>();
        private ConnectAssignor assignor;
        private boolean hasNewLeader;
        private int lastGeneration = -1;
        private int generation = 0;
        private long offset = 10;
        private int snapshotLag;
        private int freshLag;

        Cluster(Lines out, String scenario, ConnectProtocolCompatibility protocol, int maxDelay) {
            this.out = out;
            this.scenario = scenario;
            this.protocol = protocol;
            this.maxDelay = maxDelay;
            newLeader();
            lastGeneration = -1;
        }

        Cluster newLeader() {
            hasNewLeader = true;
            LogContext log = new LogContext();
            assignor = protocol == ConnectProtocolCompatibility.EAGER
                ? new EagerAssignor(log)
                : new IncrementalCooperativeAssignor(log, time, maxDelay);
            return this;
        }

        Cluster join(String id) {
            members.put(id, null);
            return this;
        }

        Cluster leave(String id) {
            members.remove(id);
            return this;
        }

        Cluster configure(String connector, int tasks) {
            configured.put(connector, tasks);
            offset += tasks + 2;
            return this;
        }

        Cluster remove(String connector) {
            if (configured.remove(connector) != null)
                offset += 2;
            return this;
        }

        Cluster inconsistent(String connector, boolean is) {
            if (is)
                inconsistent.add(connector);
            else
                inconsistent.remove(connector);
            offset++;
            return this;
        }

        Cluster after(long ms) {
            time.now += ms;
            return this;
        }

        /** Where the leader's snapshot and a fresh one end, relative to what the members say. */
        Cluster behind(int snapshot, int fresh) {
            snapshotLag = snapshot;
            freshLag = fresh;
            return this;
        }

        Cluster hold(String id, List<String> connectors, List<String> tasks) {
            members.put(id, assignment(protocol.protocolVersion(), connectors, tasks, List.of(), List.of(), 0));
            return this;
        }

        Cluster forget(String id) {
            members.put(id, null);
            return this;
        }

        int size() {
            return members.size();
        }

        String member(int index) {
            return new ArrayList<>(members.keySet()).get(index);
        }

        Cluster round() {
            return roundMissedBy();
        }

        /** Nobody gets the assignment. */
        Cluster roundThatIsLost() {
            return round(members.keySet(), false);
        }

        /** These members don't get theirs. */
        Cluster roundMissedBy(String... missing) {
            return round(Set.of(missing), true);
        }

        private Cluster round(Set<String> missing, boolean isCompleted) {
            generation++;
            String leader = members.keySet().iterator().next();
            Map<String, Object> line = new LinkedHashMap<>();
            line.put("scenario", scenario);
            line.put("protocol", protocol.protocol());
            line.put("max_delay", maxDelay);
            line.put("new_leader", hasNewLeader);
            line.put("now", time.now);
            line.put("last_generation", lastGeneration);
            line.put("generation", generation);
            line.put("leader", leader);
            line.put("snapshot", offset + snapshotLag);
            line.put("fresh", offset + freshLag);
            Map<String, Integer> consistent = new LinkedHashMap<>();
            configured.forEach((connector, tasks) -> consistent.put(connector, inconsistent.contains(connector) ? 0 : tasks));
            line.put("configured", consistent);
            Map<String, Object> given = new LinkedHashMap<>();
            List<JoinGroupResponseMember> joined = new ArrayList<>();
            members.forEach((id, held) -> {
                ExtendedWorkerState state = new ExtendedWorkerState("http://" + id + ":8083/", offset, held);
                ByteBuffer metadata = switch (protocol) {
                    case EAGER -> ConnectProtocol.serializeMetadata(state);
                    case COMPATIBLE -> IncrementalCooperativeConnectProtocol.serializeMetadata(state, false);
                    case SESSIONED -> IncrementalCooperativeConnectProtocol.serializeMetadata(state, true);
                };
                joined.add(new JoinGroupResponseMember().setMemberId(id).setMetadata(metadata.array()));
                ExtendedAssignment read = IncrementalCooperativeConnectProtocol.deserializeMetadata(metadata.duplicate()).assignment();
                given.put(id, List.of(offset, read.connectors(), names(read.tasks())));
            });
            line.put("members", given);
            Map<String, ByteBuffer> bytes = assignor.performAssignment(leader, protocol, joined, coordinator());
            Map<String, Object> results = new LinkedHashMap<>();
            members.keySet().forEach(id -> {
                ExtendedAssignment got = IncrementalCooperativeConnectProtocol.deserializeAssignment(bytes.get(id).duplicate());
                line.put("error", got.error());
                line.put("offset", got.offset());
                line.put("delay", got.delay());
                results.put(id, List.of(got.connectors(), names(got.tasks()), got.revokedConnectors(), names(got.revokedTasks())));
            });
            line.put("assigned", results);
            out.write(line);
            hasNewLeader = false;
            if (isCompleted)
                lastGeneration = generation;
            for (String id : new ArrayList<>(members.keySet()))
                if (!missing.contains(id))
                    take(id, bytes.get(id));
            return this;
        }

        private void take(String id, ByteBuffer bytes) {
            ExtendedAssignment got = IncrementalCooperativeConnectProtocol.deserializeAssignment(bytes.duplicate());
            ExtendedAssignment held = members.get(id);
            if (protocol != ConnectProtocolCompatibility.EAGER && held != null) {
                held.connectors().removeAll(got.revokedConnectors());
                held.tasks().removeAll(got.revokedTasks());
                got.connectors().addAll(held.connectors());
                got.tasks().addAll(held.tasks());
            }
            members.put(id, got);
        }

        private WorkerCoordinator coordinator() {
            return new Coordinator(snapshot(offset + snapshotLag), snapshot(offset + freshLag), lastGeneration, generation);
        }

        private ClusterConfigState snapshot(long at) {
            Map<String, Integer> counts = new HashMap<>(configured);
            Map<String, Map<String, String>> configs = new HashMap<>();
            Map<String, TargetState> targets = new HashMap<>();
            configured.keySet().forEach(connector -> {
                configs.put(connector, new HashMap<>());
                targets.put(connector, TargetState.STARTED);
            });
            return new ClusterConfigState(at, null, counts, configs, targets, new HashMap<>(), new HashMap<>(),
                new HashMap<>(), new HashMap<>(), new HashSet<>(), new HashSet<>(inconsistent));
        }
    }

    /** Knows what the assignors ask for, and needs no broker. */
    private static final class Coordinator extends WorkerCoordinator {
        private final ClusterConfigState fresh;
        private final int lastGeneration;
        private final int generation;

        Coordinator(ClusterConfigState snapshot, ClusterConfigState fresh, int lastGeneration, int generation) {
            super(new GroupRebalanceConfig(10_000, 60_000, 3_000, "g", Optional.empty(), null, 100, 1_000), new LogContext(), null,
                new Metrics(), "connect", Time.SYSTEM, "http://leader/", null, null, ConnectProtocolCompatibility.SESSIONED, 0);
            configSnapshot(snapshot);
            this.fresh = fresh;
            this.lastGeneration = lastGeneration;
            this.generation = generation;
        }

        @Override
        public ClusterConfigState configFreshSnapshot() {
            return fresh;
        }

        @Override
        public int lastCompletedGenerationId() {
            return lastGeneration;
        }

        @Override
        public int generationId() {
            return generation;
        }

        @Override
        public String memberId() {
            return "leader";
        }
    }

    private static final class SetTime implements Time {
        private long now = 1_700_000_000_000L;

        @Override
        public long milliseconds() {
            return now;
        }

        @Override
        public long nanoseconds() {
            return now * 1_000_000;
        }

        @Override
        public void sleep(long ms) {
            now += ms;
        }

        @Override
        public void waitObject(Object object, Supplier<Boolean> condition, long deadline) {
            throw new UnsupportedOperationException();
        }
    }

    // --------------------------------------------------------------------------------------------------- messages

    private static void messages(Lines out) {
        List<String> many = new ArrayList<>();
        List<String> tasks = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            many.add("connector-" + i);
            tasks.add("connector-" + (i % 7) + "-" + i);
        }
        List<ExtendedAssignment> assignments = new ArrayList<>();
        for (short version = 0; version <= 2; version++) {
            assignments.add(assignment(version, List.of(), List.of(), List.of(), List.of(), 0));
            assignments.add(assignment(version, List.of("a"), List.of("a-0"), List.of(), List.of(), 0));
            assignments.add(assignment(version, List.of("b", "a"), List.of("c-2", "a-0", "c-1"), List.of("y", "x"), List.of("y-3", "z-0"), 299_999));
            assignments.add(assignment(version, List.of("Ä ö", "\uD83D\uDE00"), List.of("x-1-0"), List.of(), List.of(), Integer.MAX_VALUE));
            assignments.add(assignment(version, many, tasks, tasks.subList(0, 3), List.of(), 1));
            assignments.add(new ExtendedAssignment(version, (short) 1, "w1-id", "http://w1:8083/", 77, List.of(), List.of(), List.of(), List.of(), 0));
        }
        for (ExtendedAssignment assignment : assignments) {
            ByteBuffer bytes = assignment.version() == 0
                ? ConnectProtocol.serializeAssignment(assignment)
                : IncrementalCooperativeConnectProtocol.serializeAssignment(assignment, assignment.version() == 2);
            Map<String, Object> line = new LinkedHashMap<>();
            line.put("message", "assignment");
            line.put("protocol", ConnectProtocolCompatibility.fromProtocolVersion(assignment.version()).protocol());
            line.put("assignment", described(assignment));
            finish(line, out, bytes, b -> IncrementalCooperativeConnectProtocol.deserializeAssignment(b));
        }
        List<ExtendedAssignment> held = new ArrayList<>(assignments);
        held.add(0, null);
        for (ExtendedAssignment assignment : held) {
            for (ConnectProtocolCompatibility protocol : ConnectProtocolCompatibility.values()) {
                ExtendedWorkerState state = new ExtendedWorkerState("http://Ü-host:8083/", 1234567890123L, assignment);
                ByteBuffer bytes = protocol == ConnectProtocolCompatibility.EAGER
                    ? ConnectProtocol.serializeMetadata(state)
                    : IncrementalCooperativeConnectProtocol.serializeMetadata(state, protocol == ConnectProtocolCompatibility.SESSIONED);
                Map<String, Object> line = new LinkedHashMap<>();
                line.put("message", "metadata");
                line.put("protocol", protocol.protocol());
                line.put("url", state.url());
                line.put("offset", state.offset());
                line.put("assignment", assignment == null ? null : described(assignment));
                finish(line, out, bytes, b -> IncrementalCooperativeConnectProtocol.deserializeMetadata(b));
            }
        }
    }

    private interface Decoder {
        Object decode(ByteBuffer bytes);
    }

    /** Adds the bytes, how many of them are enough to be read, and which versions may stand at their beginning. */
    private static void finish(Map<String, Object> line, Lines out, ByteBuffer bytes, Decoder decoder) {
        byte[] whole = Arrays.copyOf(bytes.array(), bytes.limit());
        line.put("hex", HexFormat.of().formatHex(whole));
        List<Integer> readable = new ArrayList<>();
        for (int length = 0; length <= whole.length; length++)
            if (isRead(decoder, Arrays.copyOf(whole, length)))
                readable.add(length);
        line.put("readable_lengths", readable);
        List<Integer> versions = new ArrayList<>();
        for (int version : new int[] {-32768, -1, 0, 1, 2, 3, 32767})
            if (isRead(decoder, ByteBuffer.wrap(whole.clone()).putShort(0, (short) version).array()))
                versions.add(version);
        line.put("readable_versions", versions);
        out.write(line);
    }

    private static boolean isRead(Decoder decoder, byte[] bytes) {
        try {
            decoder.decode(ByteBuffer.wrap(bytes));
            return true;
        } catch (RuntimeException e) {
            return false;
        }
    }

    private static Map<String, Object> described(ExtendedAssignment assignment) {
        Map<String, Object> described = new LinkedHashMap<>();
        described.put("version", assignment.version());
        described.put("error", assignment.error());
        described.put("leader", assignment.leader());
        described.put("leader_url", assignment.leaderUrl());
        described.put("offset", assignment.offset());
        described.put("connectors", assignment.connectors());
        described.put("tasks", names(assignment.tasks()));
        described.put("revoked_connectors", assignment.revokedConnectors());
        described.put("revoked_tasks", names(assignment.revokedTasks()));
        described.put("delay", assignment.delay());
        return described;
    }

    private static ExtendedAssignment assignment(short version, List<String> connectors, List<String> tasks,
                                                 List<String> revokedConnectors, List<String> revokedTasks, int delay) {
        return new ExtendedAssignment(version, (short) 0, "w1-id", "http://w1:8083/", 77, new ArrayList<>(connectors), ids(tasks),
            new ArrayList<>(revokedConnectors), ids(revokedTasks), delay);
    }

    // --------------------------------------------------------------------------------- orders, back-off, signatures

    private static void orders(Lines out) {
        Random random = new Random(11);
        for (int size : new int[] {0, 1, 2, 5, 11, 12, 13, 24, 25, 60, 200}) {
            List<String> names = new ArrayList<>();
            for (int i = 0; i < size; i++)
                names.add(i % 3 == 0 ? "connector-" + i : Long.toHexString(random.nextLong()));
            order(out, names);
        }
        order(out, List.of("BBBB", "AaAa", "AaBB", "BBAa", "b", "a"));
        List<String> colliding = new ArrayList<>();
        for (int i = 0; i < 16; i++) {
            StringBuilder name = new StringBuilder();
            for (int bit = 0; bit < 4; bit++)
                name.append((i >> bit & 1) == 0 ? "Aa" : "BB");
            colliding.add(name.toString());
            if (i == 4 || i == 8 || i == 9)
                order(out, List.copyOf(colliding));
        }
        for (int maxDelay : new int[] {0, 1, 2, 39, 40, 41, 1000, 1600, 60_000, 64_000, 300_000, 3_600_000, Integer.MAX_VALUE}) {
            ExponentialBackoff backoff = new ExponentialBackoff(maxDelay == 0 ? 0 : 1, 40, maxDelay, 0);
            List<Long> delays = new ArrayList<>();
            for (int attempt = 0; attempt < 9; attempt++)
                delays.add(backoff.backoff(attempt));
            out.write(line("revocation_max_delay", maxDelay, "delays", delays));
        }
        ExponentialBackoff reconfiguration = new ExponentialBackoff(250, 2, 60_000, 0);
        List<Long> delays = new ArrayList<>();
        for (int attempt = 0; attempt < 12; attempt++)
            delays.add(reconfiguration.backoff(attempt));
        out.write(line("reconfiguration_delays", delays));
    }

    private static void order(Lines out, List<String> names) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("put", names);
        Map<String, Integer> map = new HashMap<>();
        names.forEach(name -> map.put(name, 0));
        line.put("hash_map", map.keySet());
        line.put("hash_set", new HashSet<>(names));
        Set<ConnectorTaskId> tasks = new LinkedHashSet<>();
        names.forEach(name -> tasks.add(new ConnectorTaskId(name, name.length() % 5)));
        line.put("tasks", names(tasks));
        line.put("task_hash_set", names(new HashSet<>(tasks)));
        out.write(line);
    }

    private static void signatures(Lines out) throws Exception {
        List<String> algorithms = List.of("HmacSHA1", "HmacSHA224", "HmacSHA256", "HmacSHA384", "HmacSHA512", "HmacMD5");
        List<String> bodies = List.of("", "[]", "[{\"task.class\":\"T\",\"topics\":\"ä\"}]", "x".repeat(300));
        for (String algorithm : algorithms) {
            KeyGenerator generator = KeyGenerator.getInstance(algorithm);
            out.write(line("algorithm", algorithm, "default_key_bytes", generator.generateKey().getEncoded().length));
            for (int length : new int[] {1, 20, 32, 64, 65, 200}) {
                byte[] key = new byte[length];
                new Random(length).nextBytes(key);
                for (String body : bodies) {
                    Mac mac = Mac.getInstance(algorithm);
                    // The key of a session may be of another algorithm than the signature: its bytes alone count.
                    mac.init(new SecretKeySpec(key, "HmacSHA256"));
                    Map<String, Object> line = new LinkedHashMap<>();
                    line.put("algorithm", algorithm);
                    line.put("key", Base64.getEncoder().encodeToString(key));
                    line.put("body", body);
                    line.put("signature", Base64.getEncoder().encodeToString(mac.doFinal(body.getBytes(StandardCharsets.UTF_8))));
                    out.write(line);
                }
            }
        }
    }

    // ------------------------------------------------------------------------------------------------------ shared

    private static Map<String, Object> line(Object... members) {
        Map<String, Object> line = new LinkedHashMap<>();
        for (int i = 0; i < members.length; i += 2)
            line.put((String) members[i], members[i + 1]);
        return line;
    }

    private static List<String> names(Collection<ConnectorTaskId> tasks) {
        return tasks.stream().map(ConnectorTaskId::toString).toList();
    }

    private static List<ConnectorTaskId> ids(Collection<String> names) {
        List<ConnectorTaskId> ids = new ArrayList<>();
        for (String name : names) {
            int dash = name.lastIndexOf('-');
            ids.add(new ConnectorTaskId(name.substring(0, dash), Integer.parseInt(name.substring(dash + 1))));
        }
        return ids;
    }

    private static final class Lines {
        private final Writer out;

        Lines(Writer out) {
            this.out = out;
        }

        void write(Object line) {
            try {
                out.write(JSON.writeValueAsString(line));
                out.write("\n");
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
