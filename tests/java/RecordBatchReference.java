import com.fasterxml.jackson.databind.ObjectMapper;

import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;

import java.io.Writer;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;

/**
 * Writes record batches of all versions and codecs with Kafka's own classes, and what those read from them.
 *
 * <pre>
 * java -cp "$HOME/.cache/volley/testbed/kafka/*" tests/java/RecordBatchReference.java engine/kafka/src/records/testdata
 * </pre>
 *
 * {@code record_batches.bin} is what a fetch response would hold. {@code records.jsonl} has one line for each record that is not
 * a marker: the offset, the timestamp and its type, the key in hex, the value's length and CRC-32, the headers in hex, and
 * the id of the producer. The transaction of producer 11 is aborted, that of 12 is committed.
 */
public class RecordBatchReference {
    private static final int EPOCH = 5;
    private static final long APPENDED = 1_700_000_999_999L;

    private final ByteBuffer bytes = ByteBuffer.allocate(1 << 20);
    private long offset = 100;

    public static void main(String[] arguments) throws Exception {
        Path directory = Path.of(arguments[0]);
        Files.createDirectories(directory);
        RecordBatchReference reference = new RecordBatchReference();
        reference.write();
        reference.bytes.flip();
        byte[] written = new byte[reference.bytes.remaining()];
        reference.bytes.duplicate().get(written);
        Files.write(directory.resolve("record_batches.bin"), written);
        try (Writer out = Files.newBufferedWriter(directory.resolve("records.jsonl"))) {
            ObjectMapper mapper = new ObjectMapper();
            for (Map<String, Object> line : read(reference.bytes)) {
                out.write(mapper.writeValueAsString(line) + "\n");
            }
        }
    }

    private void write() {
        for (byte magic = 0; magic <= 2; magic++) {
            for (CompressionType type : CompressionType.values()) {
                if (type == CompressionType.ZSTD && magic < 2) {
                    continue;
                }
                batch(magic, type, TimestampType.CREATE_TIME, 12, 1);
                if (magic > 0) {
                    batch(magic, type, TimestampType.LOG_APPEND_TIME, 3, 1);
                }
                if (type != CompressionType.NONE) {
                    batch(magic, type, TimestampType.CREATE_TIME, 3, 8_000);
                }
            }
        }
        transactional(11, 3);
        transactional(12, 2);
        transactional(11, 1);
        marker(11, ControlRecordType.ABORT);
        transactional(11, 2);
        marker(12, ControlRecordType.COMMIT);
        marker(11, ControlRecordType.COMMIT);
        batch((byte) 2, CompressionType.NONE, TimestampType.CREATE_TIME, 1, 1);
    }

    private void batch(byte magic, CompressionType type, TimestampType timestamps, int rows, int repeats) {
        long appended = timestamps == TimestampType.LOG_APPEND_TIME ? APPENDED : RecordBatch.NO_TIMESTAMP;
        fill(MemoryRecords.builder(bytes, magic, Compression.of(type).build(), timestamps, offset, appended, -1L, (short) -1,
                -1, false, EPOCH), magic, rows, repeats);
    }

    private void transactional(long producerId, int rows) {
        fill(MemoryRecords.builder(bytes, (byte) 2, Compression.of(CompressionType.LZ4).build(), TimestampType.CREATE_TIME,
                offset, RecordBatch.NO_TIMESTAMP, producerId, (short) 0, 0, true, EPOCH), (byte) 2, rows, 1);
    }

    private void fill(MemoryRecordsBuilder builder, byte magic, int rows, int repeats) {
        for (int row = 0; row < rows; row++) {
            byte[] key = row % 3 == 0 ? null : text("key-" + row);
            byte[] value = row % 5 == 4 ? null : text(("value " + offset + " ").repeat(repeats * (row % 4)));
            Header[] headers = magic < 2 || row % 4 != 1 ? new Header[0] : new Header[] {
                new RecordHeader("h\u00e9", text("one")), new RecordHeader("null", null),
                new RecordHeader("h\u00e9", new byte[0])};
            long timestamp = magic == 0 ? RecordBatch.NO_TIMESTAMP : 1_700_000_000_000L + offset - (row % 4) * 100_000L;
            builder.appendWithOffset(offset, timestamp, key, value, headers);
            // gaps are what compaction leaves
            offset += row % 4 == 3 ? 3 : 1;
        }
        builder.close();
    }

    private void marker(long producerId, ControlRecordType type) {
        EndTransactionMarker marker = new EndTransactionMarker(type, 3);
        MemoryRecords.writeEndTransactionalMarker(bytes, offset, 1_700_000_000_000L, EPOCH, producerId, (short) 0, marker);
        offset += 1;
    }

    private static byte[] text(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static List<Map<String, Object>> read(ByteBuffer bytes) {
        List<Map<String, Object>> lines = new ArrayList<>();
        for (RecordBatch batch : MemoryRecords.readableRecords(bytes).batches()) {
            batch.ensureValid();
            if (batch.isControlBatch()) {
                continue;
            }
            for (Record record : batch) {
                record.ensureValid();
                Map<String, Object> line = new LinkedHashMap<>();
                line.put("offset", record.offset());
                line.put("timestamp", record.timestamp());
                line.put("append", batch.timestampType() == TimestampType.LOG_APPEND_TIME);
                line.put("key", hex(record.key()));
                CRC32 crc = new CRC32();
                if (record.hasValue()) {
                    crc.update(record.value());
                }
                line.put("length", record.valueSize());
                line.put("crc", crc.getValue());
                List<List<String>> headers = new ArrayList<>();
                for (Header header : record.headers()) {
                    List<String> pair = new ArrayList<>();
                    pair.add(header.key());
                    pair.add(header.value() == null ? null : HexFormat.of().formatHex(header.value()));
                    headers.add(pair);
                }
                line.put("headers", headers);
                line.put("producer", batch.producerId());
                lines.add(line);
            }
        }
        return lines;
    }

    private static String hex(ByteBuffer bytes) {
        if (bytes == null) {
            return null;
        }
        byte[] copy = new byte[bytes.remaining()];
        bytes.duplicate().get(copy);
        return HexFormat.of().formatHex(copy);
    }
}
