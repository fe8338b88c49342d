package org.volley.host.connector;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;
import org.apache.kafka.common.metrics.PluginMetrics;
import org.apache.kafka.common.metrics.internals.PluginMetricsImpl;
import org.apache.kafka.connect.connector.ConnectorContext;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.sink.SinkConnectorContext;
import org.apache.kafka.connect.source.SourceConnectorContext;
import org.apache.kafka.connect.storage.OffsetStorageReader;
import org.volley.host.Metrics;
import org.volley.host.wire.CallBacks;
import org.volley.host.wire.Failure;
import org.volley.host.wire.Json;

/** What a connector's instance may ask of the worker, from any thread, until it is stopped. */
abstract class HostedConnectorContext implements ConnectorContext {
    final CallBacks worker;
    final String name;
    private final PluginMetricsImpl metrics;
    private volatile boolean closed;

    HostedConnectorContext(CallBacks worker, Metrics metrics, String name) {
        this.worker = worker;
        this.name = name;
        this.metrics = metrics.ofPlugin(Map.of("connector", name));
    }

    @Override
    public void requestTaskReconfiguration() {
        call("RECONFIGURE", Json.object());
    }

    @Override
    public void raiseError(Exception error) {
        call("RAISE_ERROR", Json.object().set("error", Failure.of(error)));
    }

    @Override
    public PluginMetrics pluginMetrics() {
        return metrics;
    }

    void close() {
        closed = true;
        Metrics.close(metrics);
    }

    private void call(String call, ObjectNode request) {
        if (closed) {
            throw new ConnectException("Connector " + name + " was stopped, so its request " + call + " is refused");
        }
        worker.call(call, request.put("connector", name));
    }

    /** That of a source connector. */
    static final class OfSource extends HostedConnectorContext implements SourceConnectorContext {
        private final OffsetReader offsets;

        OfSource(CallBacks worker, Metrics metrics, String name) {
            super(worker, metrics, name);
            offsets = new OffsetReader(worker, name);
        }

        @Override
        public OffsetStorageReader offsetStorageReader() {
            return offsets;
        }

        @Override
        void close() {
            super.close();
            offsets.close();
        }
    }

    /** That of a sink connector. */
    static final class OfSink extends HostedConnectorContext implements SinkConnectorContext {
        OfSink(CallBacks worker, Metrics metrics, String name) {
            super(worker, metrics, name);
        }
    }
}
