package org.volley.host.connector;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.connect.connector.Connector;
import org.apache.kafka.connect.source.SourceConnector;
import org.volley.host.Metrics;
import org.volley.host.plugins.PluginScope;
import org.volley.host.plugins.PluginSet;
import org.volley.host.wire.CallBacks;
import org.volley.host.wire.Json;

/** The instance of a connector that was started. */
public final class HostedConnector {
    private final String name;
    private final Map<String, String> config;
    private final Connector connector;
    private final ClassLoader loader;
    private final HostedConnectorContext context;

    /** Makes the instance. */
    public HostedConnector(PluginSet plugins, CallBacks worker, Metrics metrics, String name, String className,
            Map<String, String> config) throws Exception {
        this.name = name;
        this.config = config;
        this.loader = plugins.connectorLoader(className, config);
        try (PluginScope scope = PluginScope.ofConnector(loader, name)) {
            this.connector = plugins.newConnector(className, config);
        }
        this.context = connector instanceof SourceConnector
                ? new HostedConnectorContext.OfSource(worker, metrics, name)
                : new HostedConnectorContext.OfSink(worker, metrics, name);
    }

    /** Initializes and starts it. Answers its version. */
    public ObjectNode start() {
        try (PluginScope scope = PluginScope.ofConnector(loader, name)) {
            connector.initialize(context);
            // A copy: what it changes in it is not to reach its tasks.
            connector.start(new HashMap<>(config));
            return Json.object().put("version", connector.version());
        } catch (Throwable error) {
            context.close();
            throw error;
        }
    }

    /** What its tasks are to be, as Kafka's worker gives it to them. */
    public ObjectNode taskConfigs(int maxTasks) {
        try (PluginScope scope = PluginScope.ofConnector(loader, name)) {
            String taskClass = connector.taskClass().getName();
            List<Map<String, String>> given = connector.taskConfigs(maxTasks);
            ObjectNode ok = Json.object().put("task_class", taskClass);
            ArrayNode configs = ok.putArray("configs");
            for (Map<String, String> task : given) {
                Map<String, String> complete = new HashMap<>(task);
                complete.put("task.class", taskClass);
                for (String key : List.of("topics", "topics.regex")) {
                    if (config.containsKey(key)) {
                        complete.put(key, config.get(key));
                    }
                }
                configs.add(Json.ofTexts(complete));
            }
            return ok;
        }
    }

    public void stop() {
        try (PluginScope scope = PluginScope.ofConnector(loader, name)) {
            connector.stop();
        } finally {
            context.close();
        }
    }
}
