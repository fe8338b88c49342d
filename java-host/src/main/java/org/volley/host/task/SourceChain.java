package org.volley.host.task;

import java.util.List;
import java.util.function.Function;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.connect.header.Header;
import org.apache.kafka.connect.runtime.SourceConnectorConfig;
import org.apache.kafka.connect.runtime.errors.LogReporter;
import org.apache.kafka.connect.runtime.errors.ProcessingContext;
import org.apache.kafka.connect.runtime.errors.Stage;
import org.apache.kafka.connect.runtime.isolation.LoaderSwap;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.util.ConnectUtils;

/** What a source's record passes: transformations, then the converters of headers, key and value, in Kafka's order. */
final class SourceChain {
    private final TaskParts<SourceRecord, SourceRecord> parts;
    private final Function<ClassLoader, LoaderSwap> within;

    SourceChain(TaskParts<SourceRecord, SourceRecord> parts, SourceConnectorConfig config) {
        this.parts = parts;
        this.within = parts.plugins.safeLoaderSwapper();
        parts.operator.reporters(List.of(new LogReporter.Source(parts.id, config, parts.errorMetrics)));
    }

    /** The message, or null where the record was filtered, or failed and is tolerated. Throws where that is not tolerated. */
    ProducerRecord<byte[], byte[]> message(SourceRecord polled) {
        ProcessingContext<SourceRecord> context = new ProcessingContext<>(polled);
        SourceRecord record = parts.chain.apply(context, polled);
        if (record == null) {
            parts.checkNotCancelled();
            return null;
        }
        String topic = record.topic();
        RecordHeaders headers = parts.operator.execute(context, () -> headers(record), Stage.HEADER_CONVERTER,
                parts.headerConverter.getClass());
        byte[] key = parts.operator.execute(context, () -> {
            try (LoaderSwap swap = within.apply(parts.keyConverter.getClass().getClassLoader())) {
                return parts.keyConverter.fromConnectData(topic, headers, record.keySchema(), record.key());
            }
        }, Stage.KEY_CONVERTER, parts.keyConverter.getClass());
        byte[] value = parts.operator.execute(context, () -> {
            try (LoaderSwap swap = within.apply(parts.valueConverter.getClass().getClassLoader())) {
                return parts.valueConverter.fromConnectData(topic, headers, record.valueSchema(), record.value());
            }
        }, Stage.VALUE_CONVERTER, parts.valueConverter.getClass());
        if (context.failed()) {
            parts.checkNotCancelled();
            return null;
        }
        return new ProducerRecord<>(topic, record.kafkaPartition(), ConnectUtils.checkAndConvertTimestamp(record.timestamp()), key, value,
                headers);
    }

    private RecordHeaders headers(SourceRecord record) {
        RecordHeaders headers = new RecordHeaders();
        for (Header header : record.headers()) {
            try (LoaderSwap swap = within.apply(parts.headerConverter.getClass().getClassLoader())) {
                headers.add(header.key(),
                        parts.headerConverter.fromConnectHeader(record.topic(), header.key(), header.schema(), header.value()));
            }
        }
        return headers;
    }
}
