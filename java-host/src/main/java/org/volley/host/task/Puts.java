package org.volley.host.task;

import com.fasterxml.jackson.databind.node.ArrayNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.connect.runtime.InternalSinkRecord;
import org.apache.kafka.connect.sink.SinkRecord;
import org.volley.host.wire.Failure;
import org.volley.host.wire.Frame;

/** Reads the puts of a PUT: their messages become records, one after the other. Those that fail are told of in {@code rejected}. */
final class Puts {
    private static final TimestampType[] TIMESTAMP_TYPES = {
        TimestampType.NO_TIMESTAMP_TYPE, TimestampType.CREATE_TIME, TimestampType.LOG_APPEND_TIME
    };

    private final SinkChain chain;
    private final boolean endsAtRejection;
    private final ArrayNode rejected;
    private final List<List<SinkRecord>> puts = new ArrayList<>();
    private List<SinkRecord> records;

    /** @param endsAtRejection whether what follows a message that failed is left out: nothing is tolerated */
    Puts(SinkChain chain, boolean endsAtRejection, ArrayNode rejected) {
        this.chain = chain;
        this.endsAtRejection = endsAtRejection;
        this.rejected = rejected;
    }

    /** The records of each put. */
    List<List<SinkRecord>> read(Frame frame) throws IOException {
        // for what another thread has left in converters and transformations
        synchronized (chain) {
            return readAll(frame);
        }
    }

    private List<List<SinkRecord>> readAll(Frame frame) throws IOException {
        int count = frame.count();
        int batch = 0;
        for (int put = 0; put < count; put++) {
            records = new ArrayList<>();
            puts.add(records);
            int end = batch + frame.count();
            for (; batch < end; batch++) {
                if (!readBatch(frame, batch)) {
                    return puts;
                }
            }
        }
        return puts;
    }

    /** Answers whether to go on. */
    private boolean readBatch(Frame frame, int batch) throws IOException {
        String topic = frame.text();
        int partition = frame.i32();
        TimestampType timestampType = timestampType(frame.u8());
        int rows = frame.count();
        for (int row = 0; row < rows; row++) {
            if (!add(message(frame, topic, partition, timestampType), batch, row)) {
                return false;
            }
        }
        return true;
    }

    /** Answers whether to go on. */
    private boolean add(ConsumerRecord<byte[], byte[]> message, int batch, int row) {
        InternalSinkRecord record = chain.record(message);
        if (record != null) {
            records.add(record);
            return true;
        }
        SinkChain.Rejection rejection = chain.rejection();
        if (rejection == null) {
            return true;
        }
        rejected.addObject().put("batch", batch).put("row", row).put("stage", rejection.stage().name())
                .put("class", rejection.executing().getName()).set("error", Failure.of(rejection.error()));
        return !endsAtRejection;
    }

    private static ConsumerRecord<byte[], byte[]> message(Frame frame, String topic, int partition, TimestampType timestampType)
            throws IOException {
        long offset = frame.i64();
        long timestamp = frame.i64();
        byte[] key = frame.bytes();
        byte[] value = frame.bytes();
        RecordHeaders headers = new RecordHeaders();
        int count = frame.count();
        for (int i = 0; i < count; i++) {
            headers.add(frame.text(), frame.bytes());
        }
        return new ConsumerRecord<>(topic, partition, offset, timestamp, timestampType, size(key), size(value), key, value, headers,
                Optional.empty());
    }

    private static int size(byte[] bytes) {
        return bytes == null ? ConsumerRecord.NULL_SIZE : bytes.length;
    }

    private static TimestampType timestampType(int number) throws IOException {
        if (number >= TIMESTAMP_TYPES.length) {
            throw new IOException("There is no type of timestamps " + number);
        }
        return TIMESTAMP_TYPES[number];
    }
}
