package org.volley.host.task;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.connect.runtime.SourceConnectorConfig;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.source.SourceTask;
import org.apache.kafka.connect.source.SourceTask.TransactionBoundary;
import org.volley.host.Metrics;
import org.volley.host.connector.OffsetReader;
import org.volley.host.plugins.PluginScope;
import org.volley.host.wire.CallBacks;
import org.volley.host.wire.Endpoint;
import org.volley.host.wire.Frame;
import org.volley.host.wire.Json;
import org.volley.host.wire.Kind;
import org.volley.host.wire.Lane;

/** A source task: its main lane starts, polls and stops it, its commit lane tells it what became of its records. */
public final class HostedSourceTask implements HostedTask {
    /** How long a POLL goes on polling. A pause and a stop wait for it. */
    private static final long MOMENT_NANOS = 5_000_000;
    /** A POLL that has given so many records is over. */
    private static final int MOST_ROWS = 2000;

    private final TaskRequest request;
    private final TaskParts<SourceRecord, SourceRecord> parts;
    private final SourceTask task;
    private final SourceChain chain;
    private final OffsetReader offsets;
    private final TransactionMarks marks;
    private final HostedSourceTaskContext context;
    private final Acknowledgements acknowledgements;
    private final MessagesWriter messages = new MessagesWriter();
    private final Lane lane;
    private final Lane commitLane;
    /** What a poll gave behind a record that the task wants a transaction to end at. */
    private List<SourceRecord> rest;

    public HostedSourceTask(TaskRequest request, Endpoint endpoint, CallBacks worker, Metrics metrics) {
        this.request = request;
        try (PluginScope scope = PluginScope.ofTask(request.loader(), request.id())) {
            SourceConnectorConfig config = new SourceConnectorConfig(request.plugins().plugins(), request.connectorConfig(), false);
            parts = new TaskParts<>(request, config, config.errorToleranceType(), metrics);
            task = parts.task(SourceTask.class);
            chain = new SourceChain(parts, config);
            offsets = new OffsetReader(worker, request.id().connector());
            boolean ownBoundaries = request.exactlyOnce() && config.transactionBoundary() == TransactionBoundary.CONNECTOR;
            marks = ownBoundaries ? new TransactionMarks() : null;
        }
        context = new HostedSourceTaskContext(worker, request.name(), offsets, marks, parts.pluginMetrics);
        acknowledgements = new Acknowledgements(parts.id, parts.loader, task, request.exactlyOnce());
        lane = new Lane(endpoint, request.lane(), "task-thread-" + request.name());
        commitLane = new Lane(endpoint, request.commitLane(), "task-commit-thread-" + request.name());
    }

    @Override
    public void open() {
        lane.open(this::answer);
        commitLane.open(acknowledgements);
    }

    @Override
    public ObjectNode description() {
        return Json.object().put("version", parts.version).put("wants_acknowledgements", acknowledgements.areWanted());
    }

    @Override
    public void cancel() {
        parts.cancel();
        offsets.close();
    }

    @Override
    public void end() {
        cancel();
        parts.close();
        lane.close();
        commitLane.close();
    }

    private void answer(Frame frame, Lane lane) throws InterruptedException {
        try (PluginScope scope = PluginScope.ofTask(parts.loader, parts.id)) {
            switch (frame.kind()) {
                case Kind.START -> {
                    task.initialize(context);
                    task.start(request.taskConfig());
                    lane.done();
                }
                case Kind.POLL -> poll(lane);
                case Kind.STOP -> {
                    task.stop();
                    lane.done();
                }
                default -> throw new IllegalStateException("A source task's main lane has no calls of kind " + frame.kind());
            }
        }
    }

    /** Polls again and again for a moment: an answer costs both sides more than a small poll does. */
    private void poll(Lane lane) throws InterruptedException {
        long end = System.nanoTime() + MOMENT_NANOS;
        PollAnswer answer = new PollAnswer();
        boolean goesOn = true;
        while (goesOn) {
            pollOnce(lane, answer);
            goesOn = answer.more && !request.exactlyOnce() && answer.rows < MOST_ROWS && System.nanoTime() - end < 0;
        }
        lane.send(Kind.DONE, answer.json());
    }

    private void pollOnce(Lane lane, PollAnswer answer) throws InterruptedException {
        List<SourceRecord> records = rest == null ? task.poll() : rest;
        rest = null;
        answer.more = records != null && !records.isEmpty();
        if (records == null) {
            return;
        }
        messages.begin();
        TransactionMarks.End end = null;
        int last = records.size() - 1;
        try {
            for (int i = 0; i <= last && end == null; i++) {
                SourceRecord record = records.get(i);
                ProducerRecord<byte[], byte[]> message = chain.message(record);
                if (message == null) {
                    answer.skipped++;
                    acknowledgements.skipped(record);
                } else {
                    // first: it may be on its way before add returns
                    acknowledgements.given(record, message);
                    messages.add(lane, message, record);
                }
                answer.rows++;
                end = marks == null ? null : marks.behind(record);
                if (end != null && i < last) {
                    rest = records.subList(i + 1, records.size());
                }
            }
        } finally {
            messages.flush(lane);
        }
        if (marks != null && end == null) {
            end = marks.behindPoll();
        }
        answer.end = end;
    }

    /** What the end of a POLL's answer says. */
    private static final class PollAnswer {
        private int rows;
        private int skipped;
        private TransactionMarks.End end;
        private boolean more;

        private ObjectNode json() {
            return Json.object().put("skipped", skipped).put("end", end == null ? null : end.text).put("more", more);
        }
    }
}
