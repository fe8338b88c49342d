package org.volley.host.task;

import java.io.IOException;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.source.SourceTask;
import org.apache.kafka.connect.util.ConnectorTaskId;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.volley.host.plugins.PluginScope;
import org.volley.host.wire.Frame;
import org.volley.host.wire.Kind;
import org.volley.host.wire.Lane;

/** Tells a source task what became of its records: the calls of its commit lane. */
final class Acknowledgements implements Lane.Calls {
    private static final Logger LOG = LoggerFactory.getLogger(Acknowledgements.class);
    /** A run of one row that was dropped. */
    private static final int DROPPED = -1;
    /** What Kafka says of the size of what is null, and of a time that is unknown. */
    private static final int NONE = -1;

    private final ConnectorTaskId id;
    private final ClassLoader loader;
    private final SourceTask task;
    private final boolean wanted;
    private final boolean inTransactions;
    private final Queue<SourceRecord> skippedInTransaction = new ConcurrentLinkedQueue<>();
    private final Unacknowledged unacknowledged = new Unacknowledged();

    /** @param inTransactions whether the task hears of records only once a transaction has ended */
    Acknowledgements(ConnectorTaskId id, ClassLoader loader, SourceTask task, boolean inTransactions) {
        this.id = id;
        this.loader = loader;
        this.task = task;
        this.inTransactions = inTransactions;
        this.wanted = overridesCommitRecord(task.getClass());
    }

    /** Whether the task's class does anything with them. */
    boolean areWanted() {
        return wanted;
    }

    /** Keeps a record, and the message that the next row was made of. */
    void given(SourceRecord record, ProducerRecord<byte[], byte[]> message) {
        if (wanted) {
            unacknowledged.add(new Unacknowledged.Given(record, message.timestamp() == null ? NONE : message.timestamp(),
                    size(message.key()), size(message.value())));
        }
    }

    /** Tells the task of a record that no row was made of. */
    void skipped(SourceRecord record) {
        if (wanted && inTransactions) {
            skippedInTransaction.add(record);
        } else if (wanted) {
            commitRecord(record, null);
        }
    }

    @Override
    public void answer(Frame frame, Lane lane) throws IOException, InterruptedException {
        try (PluginScope scope = PluginScope.ofCommits(loader, id)) {
            switch (frame.kind()) {
                case Kind.ACKED -> acknowledge(frame);
                case Kind.COMMIT -> {
                    for (SourceRecord skipped = skippedInTransaction.poll(); skipped != null; skipped = skippedInTransaction.poll()) {
                        commitRecord(skipped, null);
                    }
                    task.commit();
                }
                default -> throw new IllegalStateException("A source task's commit lane has no calls of kind " + frame.kind());
            }
        }
        lane.done();
    }

    private void acknowledge(Frame frame) throws IOException {
        int runs = frame.count();
        for (int run = 0; run < runs; run++) {
            long sequence = frame.i64();
            int count = frame.i32();
            if (count == DROPPED) {
                Unacknowledged.Given given = unacknowledged.take(sequence);
                if (given != null) {
                    commitRecord(given.record(), null);
                }
                continue;
            }
            TopicPartition partition = new TopicPartition(frame.text(), frame.i32());
            long offset = frame.i64();
            long timestamp = frame.i64();
            for (int i = 0; i < count; i++) {
                delivered(sequence + i, partition, offset + i, timestamp);
            }
        }
    }

    private void delivered(long sequence, TopicPartition partition, long offset, long timestamp) {
        Unacknowledged.Given given = unacknowledged.take(sequence);
        if (given != null) {
            commitRecord(given.record(), new RecordMetadata(partition, offset, 0, timestamp == NONE ? given.timestamp() : timestamp,
                    given.keySize(), given.valueSize()));
        }
    }

    private static int size(byte[] bytes) {
        return bytes == null ? NONE : bytes.length;
    }

    private void commitRecord(SourceRecord record, RecordMetadata metadata) {
        try {
            task.commitRecord(record, metadata);
        } catch (Throwable error) {
            LOG.error("commitRecord of task {} failed; the record is delivered all the same", id, error);
        }
    }

    private static boolean overridesCommitRecord(Class<?> type) {
        try {
            return type.getMethod("commitRecord", SourceRecord.class, RecordMetadata.class).getDeclaringClass() != SourceTask.class;
        } catch (NoSuchMethodException impossible) {
            throw new IllegalStateException("SourceTask has commitRecord", impossible);
        }
    }
}
