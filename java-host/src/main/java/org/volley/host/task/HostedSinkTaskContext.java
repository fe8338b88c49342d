package org.volley.host.task;

import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.metrics.PluginMetrics;
import org.apache.kafka.connect.errors.IllegalWorkerStateException;
import org.apache.kafka.connect.runtime.WorkerSinkTaskContext;
import org.apache.kafka.connect.sink.ErrantRecordReporter;
import org.volley.host.wire.CallBacks;

/**
 * What a sink task may ask for, from any thread. It is one of Kafka's, as there are plug-ins that look into it for the consumer; nothing
 * of Kafka's is used but that.
 */
final class HostedSinkTaskContext extends WorkerSinkTaskContext {
    private final CallBacks worker;
    private final String task;
    private final SinkRequests requests;
    private final Set<TopicPartition> assigned;
    private final ErrantRecordReporter reporter;
    private final PluginMetrics metrics;

    /**
     * @param assigned the partitions that are open
     * @param reporter null unless there is somewhere to report to
     */
    HostedSinkTaskContext(CallBacks worker, TaskRequest request, SinkRequests requests, Set<TopicPartition> assigned,
            ErrantRecordReporter reporter, PluginMetrics metrics) {
        super(ConsumerView.of(worker, request, assigned, requests), null, null);
        this.worker = worker;
        this.task = request.name();
        this.requests = requests;
        this.assigned = assigned;
        this.reporter = reporter;
        this.metrics = metrics;
    }

    @Override
    public Map<String, String> configs() {
        return TaskConfigs.read(worker, task);
    }

    @Override
    public void offset(Map<TopicPartition, Long> offsets) {
        requests.seek(offsets);
    }

    @Override
    public void offset(TopicPartition partition, long offset) {
        requests.seek(Map.of(partition, offset));
    }

    @Override
    public void timeout(long millis) {
        requests.timeout(millis);
    }

    @Override
    public Set<TopicPartition> assignment() {
        return Set.copyOf(assigned);
    }

    @Override
    public void pause(TopicPartition... partitions) {
        checkAssigned("paused", partitions);
        requests.pause(true, partitions);
    }

    @Override
    public void resume(TopicPartition... partitions) {
        checkAssigned("resumed", partitions);
        requests.pause(false, partitions);
    }

    @Override
    public void requestCommit() {
        requests.commit();
    }

    @Override
    public ErrantRecordReporter errantRecordReporter() {
        return reporter;
    }

    @Override
    public PluginMetrics pluginMetrics() {
        return metrics;
    }

    private void checkAssigned(String what, TopicPartition... partitions) {
        for (TopicPartition partition : partitions) {
            if (!assigned.contains(partition)) {
                throw new IllegalWorkerStateException(
                        "Partition " + partition + " cannot be " + what + ": it is not assigned to task " + task);
            }
        }
    }
}
