package org.volley.host.task;

import java.util.Map;
import org.apache.kafka.common.metrics.PluginMetrics;
import org.apache.kafka.connect.source.SourceTaskContext;
import org.apache.kafka.connect.source.TransactionContext;
import org.apache.kafka.connect.storage.OffsetStorageReader;
import org.volley.host.connector.OffsetReader;
import org.volley.host.wire.CallBacks;

/** What a source task may ask for. {@code marks} is null unless the task sets the boundaries of transactions. */
record HostedSourceTaskContext(CallBacks worker, String task, OffsetReader offsets, TransactionMarks marks, PluginMetrics pluginMetrics)
        implements SourceTaskContext {
    @Override
    public Map<String, String> configs() {
        return TaskConfigs.read(worker, task);
    }

    @Override
    public OffsetStorageReader offsetStorageReader() {
        return offsets;
    }

    @Override
    public TransactionContext transactionContext() {
        return marks;
    }
}
