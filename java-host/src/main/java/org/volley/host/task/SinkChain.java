package org.volley.host.task;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.function.Function;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.header.ConnectHeaders;
import org.apache.kafka.connect.runtime.InternalSinkRecord;
import org.apache.kafka.connect.runtime.errors.ErrorReporter;
import org.apache.kafka.connect.runtime.errors.ProcessingContext;
import org.apache.kafka.connect.runtime.errors.Stage;
import org.apache.kafka.connect.runtime.isolation.LoaderSwap;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.util.ConnectUtils;

/** What a consumed message passes: the converters of key, value and headers, then transformations, in Kafka's order. */
final class SinkChain implements ErrorReporter<ConsumerRecord<byte[], byte[]>> {
    /** Where and why a message failed. */
    record Rejection(Stage stage, Class<?> executing, Throwable error) {
    }

    private final TaskParts<ConsumerRecord<byte[], byte[]>, SinkRecord> parts;
    private final Function<ClassLoader, LoaderSwap> within;
    private Rejection rejection;

    SinkChain(TaskParts<ConsumerRecord<byte[], byte[]>, SinkRecord> parts) {
        this.parts = parts;
        this.within = parts.plugins.safeLoaderSwapper();
        parts.operator.reporters(List.of(this));
    }

    /** The record, or null where the message was filtered or failed: {@link #rejection} tells. */
    InternalSinkRecord record(ConsumerRecord<byte[], byte[]> message) {
        rejection = null;
        ProcessingContext<ConsumerRecord<byte[], byte[]>> context = new ProcessingContext<>(message);
        SchemaAndValue key = parts.operator.execute(context, () -> {
            try (LoaderSwap swap = within.apply(parts.keyConverter.getClass().getClassLoader())) {
                return parts.keyConverter.toConnectData(message.topic(), message.headers(), message.key());
            }
        }, Stage.KEY_CONVERTER, parts.keyConverter.getClass());
        SchemaAndValue value = parts.operator.execute(context, () -> {
            try (LoaderSwap swap = within.apply(parts.valueConverter.getClass().getClassLoader())) {
                return parts.valueConverter.toConnectData(message.topic(), message.headers(), message.value());
            }
        }, Stage.VALUE_CONVERTER, parts.valueConverter.getClass());
        ConnectHeaders headers = parts.operator.execute(context, () -> headers(message), Stage.HEADER_CONVERTER,
                parts.headerConverter.getClass());
        if (context.failed()) {
            return null;
        }
        SinkRecord record = new SinkRecord(message.topic(), message.partition(), key.schema(), key.value(), value.schema(), value.value(),
                message.offset(), ConnectUtils.checkAndConvertTimestamp(message.timestamp()), message.timestampType(), headers);
        SinkRecord transformed = parts.chain.apply(context, record);
        return transformed == null || context.failed() ? null : new InternalSinkRecord(context, transformed);
    }

    /** Why the last message gave no record. Null if it did, or was filtered. */
    Rejection rejection() {
        return rejection;
    }

    /** Called by Kafka's handling of errors, once, for a message that finally failed. */
    @Override
    public Future<RecordMetadata> report(ProcessingContext<ConsumerRecord<byte[], byte[]>> context) {
        parts.checkNotCancelled();
        rejection = new Rejection(context.stage(), context.executingClass(), context.error());
        return CompletableFuture.completedFuture(null);
    }

    private ConnectHeaders headers(ConsumerRecord<byte[], byte[]> message) {
        ConnectHeaders headers = new ConnectHeaders();
        for (Header header : message.headers()) {
            try (LoaderSwap swap = within.apply(parts.headerConverter.getClass().getClassLoader())) {
                headers.add(header.key(), parts.headerConverter.toConnectHeader(message.topic(), header.key(), header.value()));
            }
        }
        return headers;
    }
}
