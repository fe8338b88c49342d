package org.volley.plugins;

import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.DisconnectException;
import org.apache.kafka.common.metrics.Measurable;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.errors.RetriableException;
import org.apache.kafka.connect.runtime.WorkerSinkTaskContext;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.sink.SinkTask;

/** A sink task that does what the values of its records say. */
public class ScriptedSink extends SinkTask {
    private static final TopicPartition FIRST = new TopicPartition("t", 0);

    private final List<SinkRecord> seen = new ArrayList<>();
    private boolean failed;

    @Override
    public String version() {
        return "2.6";
    }

    @Override
    public void start(Map<String, String> config) {
        Say.called(this, "start");
        Say.say("reporter " + (context.errantRecordReporter() == null ? "none" : "some"));
    }

    @Override
    public void open(Collection<TopicPartition> partitions) {
        Say.called(this, "open " + partitions + " of " + context.assignment());
    }

    @Override
    public void close(Collection<TopicPartition> partitions) {
        Say.called(this, "close " + partitions + " of " + context.assignment());
    }

    @Override
    public void put(Collection<SinkRecord> records) {
        List<Object> values = new ArrayList<>();
        records.forEach(record -> values.add(shortened(record.value())));
        Say.called(this, "put " + values);
        for (SinkRecord record : records) {
            act(record);
        }
    }

    private static Object shortened(Object value) {
        return value instanceof String text && text.length() > 100 ? text.length() + " characters" : value;
    }

    private void act(SinkRecord record) {
        switch (String.valueOf(record.value())) {
            case "retriable" -> {
                seen.add(record);
                if (!failed) {
                    failed = true;
                    context.timeout(700);
                    throw new RetriableException("later");
                }
                Say.say("same record " + (seen.get(0) == record));
            }
            case "consumer" -> lookIntoTheContext();
            case "command line" -> Say.say("command line " + System.getProperty("sun.java.command"));
            case "disconnected" -> throw new DisconnectException("not of Connect");
            case "slow" -> linger();
            case "error" -> throw new IllegalStateException("never");
            case "measure" -> context.pluginMetrics().addMetric(context.pluginMetrics().metricName("puts", "Puts", new LinkedHashMap<>()),
                    (Measurable) (config, now) -> 3);
            case "seek" -> {
                context.offset(FIRST, 3);
                context.offset(Map.of(FIRST, 9L));
            }
            case "pause" -> {
                context.pause(FIRST);
                context.resume(FIRST);
                context.requestCommit();
            }
            case "pause other" -> context.pause(new TopicPartition("other", 0));
            case "thread" -> new Thread(this::askFromOutside).start();
            case "report" -> report(record);
            case "keep" -> seen.add(record);
            case "report kept" -> report(seen.remove(0));
            case "report own" -> report(new SinkRecord("t", 0, Schema.STRING_SCHEMA, "own key", Schema.STRING_SCHEMA, "own value", 77, 12L,
                    TimestampType.CREATE_TIME));
            case "interrupt" -> Thread.currentThread().interrupt();
            case "hang" -> AnySource.await();
            case "log" -> org.slf4j.LoggerFactory.getLogger(ScriptedSink.class).warn("a warning", new IllegalStateException("its cause"));
            case "headers" -> record.headers().forEach(header -> Say.say("header " + header.key() + "=" + header.value()));
            case "describe" -> Say.say("record " + record.topic() + "-" + record.kafkaPartition() + "@" + record.kafkaOffset() + " "
                    + record.timestampType() + " " + record.timestamp() + " " + record.originalTopic());
            default -> { }
        }
    }

    /** As Iceberg's sink does. */
    private void lookIntoTheContext() {
        try {
            Field field = WorkerSinkTaskContext.class.getDeclaredField("consumer");
            field.setAccessible(true);
            Consumer<?, ?> consumer = (Consumer<?, ?>) field.get(context);
            ConsumerGroupMetadata group = consumer.groupMetadata();
            Say.say("group " + group.groupId() + " " + group.generationId() + " " + group.memberId() + " " + group.groupInstanceId());
            consumer.committed(consumer.assignment()).forEach((partition, offset) -> consumer.seek(partition, offset.offset()));
        } catch (ReflectiveOperationException error) {
            throw new IllegalStateException(error);
        }
    }

    /** Takes more time than several puts may together. */
    private static void linger() {
        long end = System.nanoTime() + 20_000_000;
        while (System.nanoTime() - end < 0) {
            Thread.onSpinWait();
        }
    }

    /** Waits until no call of the task runs, then asks. */
    private void askFromOutside() {
        try {
            while (isPutting()) {
                Thread.onSpinWait();
            }
            context.offset(FIRST, 5);
        } catch (RuntimeException error) {
            Say.say("refused " + error);
        }
    }

    private static boolean isPutting() {
        return Thread.getAllStackTraces().values().stream().flatMap(java.util.Arrays::stream)
                .anyMatch(frame -> frame.getClassName().equals("org.volley.host.task.HostedSinkTask"));
    }

    private void report(SinkRecord record) {
        Future<Void> future;
        try {
            future = context.errantRecordReporter().report(record, new IllegalArgumentException("bad record"));
        } catch (ConnectException error) {
            Say.say("not tolerated: " + error.getMessage());
            throw error;
        }
        Say.say("reported, done " + future.isDone());
        Thread waiting = new Thread(() -> {
            try {
                future.get();
                Say.say("report taken");
            } catch (Exception error) {
                Say.say("report failed " + error.getMessage());
            }
        });
        waiting.start();
    }

    @Override
    public Map<TopicPartition, OffsetAndMetadata> preCommit(Map<TopicPartition, OffsetAndMetadata> offsets) {
        Say.called(this, "preCommit " + offsets.get(FIRST).offset());
        if (offsets.get(FIRST).offset() == 13) {
            throw new IllegalStateException("cannot say");
        }
        if (offsets.get(FIRST).offset() == 14) {
            return Map.of();
        }
        Map<TopicPartition, OffsetAndMetadata> answer = new HashMap<>();
        answer.put(FIRST, new OffsetAndMetadata(1, "mark"));
        return answer;
    }

    @Override
    public void stop() {
        Say.called(this, "stop");
    }
}
