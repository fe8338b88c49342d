package org.volley.plugins;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.metrics.Measurable;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.errors.RetriableException;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.source.SourceTask;

/** A source task that does what its script says: polls are parted by bars, the values of one by commas. */
public class ScriptedSource extends SourceTask {
    private final CountDownLatch stopped = new CountDownLatch(1);
    private String[] script;
    private int polls;
    private int records;

    @Override
    public String version() {
        return "2.5";
    }

    @Override
    public void start(Map<String, String> config) {
        Say.called(this, "start");
        script = config.get("script").split("\\|");
        Say.say("transactions " + (context.transactionContext() == null ? "none" : "some"));
    }

    @Override
    public List<SourceRecord> poll() throws InterruptedException {
        Say.called(this, "poll");
        String step = polls < script.length ? script[polls++] : "null";
        switch (step) {
            case "null":
                return null;
            case "empty":
                return List.of();
            case "retriable":
                throw new RetriableException("later");
            case "error":
                throw new IllegalStateException("never");
            case "hang":
                AnySource.await();
                return null;
            case "exit":
                System.exit(9);
                return null;
            case "offset":
                Map<String, Object> offset = context.offsetStorageReader().offset(Map.of("p", 1));
                Say.say("offset " + offset + " of " + offset.get("n").getClass().getSimpleName());
                return null;
            case "offset of null":
                Say.say("offset " + context.offsetStorageReader().offsets(java.util.Collections.singletonList((Map<String, Object>) null)).get(null));
                return null;
            case "offset outside":
                Thread outside = new Thread(() -> Say.say("outside " + context.offsetStorageReader().offset(Map.of("p", 1))));
                outside.start();
                outside.join();
                return null;
            case "measure":
                context.pluginMetrics().addMetric(context.pluginMetrics().metricName("polls", "Polls", new LinkedHashMap<>()),
                        (Measurable) (config, now) -> 2);
                return null;
            case "configs":
                Say.say("configs " + context.configs());
                return null;
            case "wait":
                Say.say("waiting");
                stopped.await();
                return null;
            case "interrupt":
                Thread.currentThread().interrupt();
                return records("interrupted".split(","));
            case "many":
                return many();
            case "large":
                return List.of(new SourceRecord(Map.of("p", 1), null, "t", Schema.STRING_SCHEMA, "L".repeat(20_000_000)));
            case "nested":
                return List.of(new SourceRecord(Map.of("p", 1), Map.of("n", Map.of()), "t", Schema.STRING_SCHEMA, "x"));
            case "nested partition":
                return List.of(new SourceRecord(Map.of("n", Map.of()), Map.of("n", 1), "t", Schema.STRING_SCHEMA, "x"));
            case "delete":
                return List.of(new SourceRecord(Map.of("p", 1), null, "t", Schema.STRING_SCHEMA, "x"));
            case "none":
                return List.of(new SourceRecord(null, null, "t", Schema.STRING_SCHEMA, "x"));
            case "commit":
                context.transactionContext().commitTransaction();
                return records("c");
            case "middle":
                List<SourceRecord> three = records("m1", "m2", "m3");
                context.transactionContext().commitTransaction(three.get(0));
                context.transactionContext().abortTransaction(three.get(2));
                return three;
            default:
                return records(step.split(","));
        }
    }

    private List<SourceRecord> records(String... values) {
        List<SourceRecord> list = new ArrayList<>();
        for (String value : values) {
            Map<String, Object> offset = new HashMap<>();
            offset.put("n", records++);
            SourceRecord record = new SourceRecord(Map.of("p", 1), offset, "t", null, Schema.STRING_SCHEMA, "key-" + value, Schema.STRING_SCHEMA,
                    value, 5L);
            record.headers().addString("h", "1");
            list.add(record);
        }
        return list;
    }

    private List<SourceRecord> many() {
        String[] values = new String[30_000];
        java.util.Arrays.fill(values, "v".repeat(100));
        return records(values);
    }

    @Override
    public void commitRecord(SourceRecord record, RecordMetadata metadata) {
        Say.called(this, "commitRecord " + record.value() + " " + (metadata == null ? "null" : metadata + "/" + metadata.timestamp() + "/" + metadata.serializedKeySize()
                + "/" + metadata.serializedValueSize()));
        if ("fatal commit".equals(record.value())) {
            throw new NoClassDefFoundError("of a library that is not there");
        }
    }

    @Override
    public void commit() {
        Say.called(this, "commit");
    }

    @Override
    public void stop() {
        Say.called(this, "stop");
        stopped.countDown();
    }
}
