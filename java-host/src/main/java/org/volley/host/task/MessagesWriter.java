package org.volley.host.task;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.connect.source.SourceRecord;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.volley.host.connector.OffsetJson;
import org.volley.host.wire.FrameWriter;
import org.volley.host.wire.Kind;
import org.volley.host.wire.Lane;

/**
 * Writes messages into frames of MESSAGES. Topics and pairs of partition and offset stand once in each. What has been flushed is sent as soon
 * as the lane is free, with all that has come behind it by then.
 */
final class MessagesWriter implements Lane.Late {
    private static final Logger LOG = LoggerFactory.getLogger(MessagesWriter.class);
    /** Bytes that make a frame: small enough to be sent while the next ones are converted, large enough to cost little. */
    private static final int FRAME_BYTES = 1 << 20;
    /** Names of headers are few; a task that makes them up must not fill the heap. */
    private static final int MOST_HEADER_NAMES = 1000;

    private final FrameWriter topics = new FrameWriter();
    private final FrameWriter pairs = new FrameWriter();
    private final FrameWriter rows = new FrameWriter();
    private final Map<String, Integer> topicNumbers = new HashMap<>();
    private final Map<String, byte[]> headerNames = new HashMap<>();
    /** Of the lane, with what was flushed. */
    private final FrameWriter late = new FrameWriter();
    private int pairCount;
    private int rowCount;
    /** Of the first row that is not sent. */
    private long firstSequence;
    /** Whether the lane will ask for what there is. */
    private boolean awaited;
    private boolean mapsMayHaveChanged;
    private Map<String, ?> lastPartition;
    private Map<String, ?> lastOffset;
    /** A copy of the partition that was written last, as tasks may change theirs, and what was written. */
    private Map<String, ?> writtenPartition;
    private byte[] writtenPartitionJson;
    private byte[] writtenOffsetJson;

    /** Starts the messages of a poll. The maps of the poll before may have been changed by the task meanwhile. */
    synchronized void begin() {
        mapsMayHaveChanged = true;
    }

    /** Adds a message, and sends a frame when one is full. */
    void add(Lane lane, ProducerRecord<byte[], byte[]> message, SourceRecord polled) {
        if (addRow(message, polled)) {
            FrameWriter frame = lane.frame(Kind.MESSAGES);
            if (fill(frame)) {
                lane.send(frame);
            } else {
                lane.giveBack(frame);
            }
        }
    }

    /** Has what there is sent. */
    void flush(Lane lane) {
        synchronized (this) {
            if (awaited || rowCount == 0) {
                return;
            }
            awaited = true;
        }
        lane.send(this);
    }

    /** Called by the lane. */
    @Override
    public synchronized FrameWriter frame() {
        awaited = false;
        return fill(late.begin(Kind.MESSAGES)) ? late : null;
    }

    /** Moves all rows into a frame. Answers whether there are any. */
    private synchronized boolean fill(FrameWriter frame) {
        if (rowCount == 0) {
            return false;
        }
        frame.i64(firstSequence);
        frame.i32(topicNumbers.size());
        frame.part(topics);
        frame.i32(pairCount);
        frame.part(pairs);
        frame.i32(rowCount);
        frame.part(rows);
        firstSequence += rowCount;
        clear();
        return true;
    }

    /** Answers whether there is enough for a frame. */
    private synchronized boolean addRow(ProducerRecord<byte[], byte[]> message, SourceRecord polled) {
        rows.i32(topicNumber(message.topic()));
        rows.i32(message.partition() == null ? -1 : message.partition());
        rows.i64(message.timestamp() == null ? -1 : message.timestamp());
        rows.i32(pair(polled.sourcePartition(), polled.sourceOffset()));
        rows.bytes(message.key());
        rows.bytes(message.value());
        int count = rows.size();
        rows.i32(0);
        int headers = 0;
        for (Header header : message.headers()) {
            rows.bytes(headerName(header.key()));
            rows.bytes(header.value());
            headers++;
        }
        rows.i32At(count, headers);
        rowCount++;
        return rows.size() + pairs.size() >= FRAME_BYTES;
    }

    private void clear() {
        topics.clear();
        pairs.clear();
        rows.clear();
        topicNumbers.clear();
        pairCount = 0;
        rowCount = 0;
    }

    private int topicNumber(String topic) {
        Integer number = topicNumbers.get(topic);
        if (number == null) {
            number = topicNumbers.size();
            topicNumbers.put(topic, number);
            topics.text(topic);
        }
        return number;
    }

    private int pair(Map<String, ?> partition, Map<String, ?> offset) {
        if (pairCount == 0 || mapsMayHaveChanged || partition != lastPartition || offset != lastOffset) {
            mapsMayHaveChanged = false;
            lastPartition = partition;
            lastOffset = offset;
            addPair(partition, offset);
            pairCount++;
        }
        return pairCount - 1;
    }

    /** Of what cannot be stored nothing is deleted: the record has the offset of the one before it, or none, nor a partition. */
    private void addPair(Map<String, ?> partition, Map<String, ?> offset) {
        try {
            writePartition(partition);
            writtenOffsetJson = OffsetJson.write(offset);
        } catch (RuntimeException error) {
            LOG.error("The source partition {} or the offset {} of a record cannot be stored, so what is stored stays: after a restart the record may "
                    + "come again. Both have to be flat maps of plain values", partition, offset, error);
            if (writtenOffsetJson == null || !Objects.equals(partition, writtenPartition)) {
                pairs.bytes(null);
                pairs.bytes(null);
                return;
            }
        }
        pairs.bytes(writtenPartitionJson);
        pairs.bytes(writtenOffsetJson);
    }

    private void writePartition(Map<String, ?> partition) {
        if (!Objects.equals(partition, writtenPartition)) {
            writtenPartitionJson = OffsetJson.write(partition);
            writtenPartition = partition == null ? null : new HashMap<>(partition);
            writtenOffsetJson = null;
        }
    }

    private byte[] headerName(String name) {
        byte[] bytes = headerNames.get(name);
        if (bytes == null) {
            if (headerNames.size() == MOST_HEADER_NAMES) {
                headerNames.clear();
            }
            bytes = name.getBytes(StandardCharsets.UTF_8);
            headerNames.put(name, bytes);
        }
        return bytes;
    }
}
