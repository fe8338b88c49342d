package org.volley.host.task;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.connect.runtime.errors.ErrorReporter;
import org.apache.kafka.connect.runtime.errors.ProcessingContext;
import org.volley.host.wire.CallBacks;
import org.volley.host.wire.Failure;
import org.volley.host.wire.Json;

/** Gives records that a sink task reports to the worker, as they were consumed. The future ends when the worker has taken one. */
final class ErrantReports implements ErrorReporter<ConsumerRecord<byte[], byte[]>> {
    private final CallBacks worker;
    private final String task;

    ErrantReports(CallBacks worker, String task) {
        this.worker = worker;
        this.task = task;
    }

    @Override
    public Future<RecordMetadata> report(ProcessingContext<ConsumerRecord<byte[], byte[]>> context) {
        ConsumerRecord<byte[], byte[]> record = context.original();
        ObjectNode report = Json.object();
        report.put("task", task);
        report.put("topic", record.topic());
        report.put("partition", record.partition());
        report.put("offset", record.offset());
        report.put("timestamp", record.timestamp());
        report.put("timestamp_type", record.timestampType().id);
        report.put("key", record.key());
        report.put("value", record.value());
        ArrayNode headers = report.putArray("headers");
        for (Header header : record.headers()) {
            headers.addArray().add(header.key()).add(header.value());
        }
        report.set("error", Failure.of(context.error()));
        report.put("class", context.executingClass().getName());
        return worker.call("ERRANT", report).thenApply(taken -> null);
    }
}
