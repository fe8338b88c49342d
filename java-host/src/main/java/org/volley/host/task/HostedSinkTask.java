package org.volley.host.task;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.connect.runtime.InternalSinkRecord;
import org.apache.kafka.connect.runtime.SinkConnectorConfig;
import org.apache.kafka.connect.runtime.errors.ToleranceType;
import org.apache.kafka.connect.runtime.errors.WorkerErrantRecordReporter;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.sink.SinkTask;
import org.volley.host.Metrics;
import org.volley.host.plugins.PluginScope;
import org.volley.host.wire.CallBacks;
import org.volley.host.wire.Endpoint;
import org.volley.host.wire.Failure;
import org.volley.host.wire.Frame;
import org.volley.host.wire.Json;
import org.volley.host.wire.Kind;
import org.volley.host.wire.Lane;

/**
 * A sink task: its main lane calls it. A PUT puts for a moment, so that a task that puts quickly does not wait for the worker each time.
 * Meanwhile its second lane makes records of what comes next. One of the two threads converts at a time: the worker sees to that.
 */
public final class HostedSinkTask implements HostedTask {
    /** How long after its begin a PUT begins with another put, at the most. */
    private static final long MOMENT_NANOS = 5_000_000;

    private final TaskRequest request;
    private final TaskParts<ConsumerRecord<byte[], byte[]>, SinkRecord> parts;
    private final SinkTask task;
    private final SinkChain chain;
    private final boolean toleratesNothing;
    private final WorkerErrantRecordReporter reporter;
    private final SinkRequests requests;
    private final Set<TopicPartition> assigned = ConcurrentHashMap.newKeySet();
    private final HostedSinkTaskContext context;
    private final Lane lane;
    private final Lane prepareLane;
    private final PreparedPuts prepared = new PreparedPuts();
    /** The records of each put of the last PUT, until they are put. */
    private final Deque<List<SinkRecord>> pending = new ArrayDeque<>();

    public HostedSinkTask(TaskRequest request, Endpoint endpoint, CallBacks worker, Metrics metrics) {
        this.request = request;
        try (PluginScope scope = PluginScope.ofTask(request.loader(), request.id())) {
            SinkConnectorConfig config = new SinkConnectorConfig(request.plugins().plugins(), request.connectorConfig());
            // What fails in the chain is told to the worker, which knows what is tolerated.
            parts = new TaskParts<>(request, config, ToleranceType.ALL, metrics);
            task = parts.task(SinkTask.class);
            chain = new SinkChain(parts);
            toleratesNothing = config.errorToleranceType() == ToleranceType.NONE;
            reporter = config.enableErrantRecordReporter() ? reporter(worker, config.errorToleranceType()) : null;
        }
        requests = new SinkRequests(worker, request.name());
        context = new HostedSinkTaskContext(worker, request, requests, assigned, reporter == null ? null : this::report, parts.pluginMetrics);
        lane = new Lane(endpoint, request.lane(), "task-thread-" + request.name());
        prepareLane = new Lane(endpoint, request.prepareLane(), "task-prepare-thread-" + request.name());
    }

    @Override
    public void open() {
        lane.open(this::answer);
        prepareLane.open(this::prepare);
    }

    @Override
    public ObjectNode description() {
        return Json.object().put("version", parts.version).put("wants_acknowledgements", false);
    }

    @Override
    public void cancel() {
        parts.cancel();
    }

    @Override
    public void end() {
        cancel();
        parts.close();
        prepared.close();
        lane.close();
        prepareLane.close();
    }

    private WorkerErrantRecordReporter reporter(CallBacks worker, ToleranceType tolerance) {
        return new WorkerErrantRecordReporter(parts.reporting(tolerance, new ErrantReports(worker, request.name())),
                parts.keyConverter, parts.valueConverter, parts.headerConverter);
    }

    private Future<Void> report(SinkRecord record, Throwable error) {
        if (record instanceof InternalSinkRecord) {
            return reporter.report(record, error);
        }
        // one that the task made itself is converted back, with converters that the second lane may be using
        synchronized (chain) {
            return reporter.report(record, error);
        }
    }

    private void answer(Frame frame, Lane lane) {
        ObjectNode answer = Json.object();
        ArrayNode rejected = Json.array();
        int kind = Kind.DONE;
        requests.begin();
        try (PluginScope scope = PluginScope.ofTask(parts.loader, parts.id)) {
            call(frame, answer, rejected);
        } catch (Throwable error) {
            kind = Kind.FAILED;
            answer.set("error", Failure.ofSinkTask(error));
        }
        answer.set("requests", requests.end());
        answer.set("rejected", rejected);
        lane.send(kind, answer);
    }

    private void prepare(Frame frame, Lane lane) throws IOException {
        if (frame.kind() != Kind.PREPARE) {
            throw new IllegalStateException("A sink task's second lane has no calls of kind " + frame.kind());
        }
        long number = frame.i64();
        ArrayNode rejected = Json.array();
        PreparedPuts.Prepared made;
        try (PluginScope scope = PluginScope.ofTask(parts.loader, parts.id)) {
            made = new PreparedPuts.Prepared(number, new Puts(chain, toleratesNothing, rejected).read(frame), rejected, null);
        } catch (Throwable error) {
            made = new PreparedPuts.Prepared(number, List.of(), rejected, error);
        }
        prepared.add(made);
        lane.done();
    }

    private void call(Frame frame, ObjectNode answer, ArrayNode rejected) throws Throwable {
        switch (frame.kind()) {
            case Kind.START -> {
                task.initialize(context);
                task.start(request.taskConfig());
            }
            case Kind.STOP -> task.stop();
            case Kind.OPEN -> {
                Set<TopicPartition> partitions = Partitions.read(frame);
                assigned.addAll(partitions);
                task.open(partitions);
            }
            case Kind.CLOSE -> close(Partitions.read(frame));
            case Kind.PUT -> put(new Puts(chain, toleratesNothing, rejected).read(frame), answer);
            case Kind.PUT_PREPARED -> {
                PreparedPuts.Prepared made = prepared.take(frame.i64());
                rejected.addAll(made.rejected());
                if (made.failure() != null) {
                    throw made.failure();
                }
                put(made.puts(), answer);
            }
            case Kind.PUT_AGAIN -> putPending(answer);
            case Kind.DROP -> pending.clear();
            case Kind.PRE_COMMIT -> preCommit(Partitions.readOffsets(frame), answer.putArray("offsets"));
            default -> throw new IllegalStateException("A sink task's lane has no calls of kind " + frame.kind());
        }
    }

    private void put(List<List<SinkRecord>> puts, ObjectNode answer) {
        pending.clear();
        pending.addAll(puts);
        putPending(answer);
    }

    /** Puts for a moment, until all is put, one put fails, or the task wants something of the worker. */
    private void putPending(ObjectNode answer) {
        if (pending.isEmpty()) {
            throw new IllegalStateException("There is nothing to put again");
        }
        long end = System.nanoTime() + MOMENT_NANOS;
        int done = 0;
        try {
            do {
                task.put(new ArrayList<>(pending.element()));
                if (reporter != null) {
                    reporter.maybeThrowAsyncError();
                }
                pending.remove();
                done++;
            } while (!pending.isEmpty() && requests.isEmpty() && System.nanoTime() - end < 0);
        } finally {
            answer.put("put", done);
        }
    }

    private void close(Set<TopicPartition> partitions) {
        try {
            task.close(partitions);
        } finally {
            assigned.removeAll(partitions);
            pending.forEach(put -> put.removeIf(record ->
                    partitions.contains(new TopicPartition(record.originalTopic(), record.originalKafkaPartition()))));
        }
    }

    private void preCommit(Map<TopicPartition, OffsetAndMetadata> current, ArrayNode answer) {
        if (reporter != null) {
            reporter.awaitFutures(current.keySet());
        }
        Partitions.writeOffsets(answer, task.preCommit(current));
    }
}
