package org.volley.host.task;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.connect.util.ConnectorTaskId;
import org.volley.host.plugins.PluginSet;
import org.volley.host.wire.Json;

/**
 * The task that the worker wants.
 *
 * @param lane number of the main lane
 * @param commitLane number of the commit lane, which only a source task has
 * @param prepareLane number of the lane that prepares puts, which only a sink task has
 * @param exactlyOnce whether a source task's records are produced in transactions
 */
public record TaskRequest(PluginSet plugins, ClassLoader loader, String name, ConnectorTaskId id, long lane, long commitLane,
        long prepareLane, boolean exactlyOnce, Map<String, String> connectorConfig, Map<String, String> taskConfig, Map<String, String> workerConfig) {

    /** The request of a TASK_NEW. */
    public static TaskRequest of(PluginSet plugins, JsonNode request) {
        String name = Json.text(request, "task");
        int dash = name.lastIndexOf('-');
        if (dash < 0) {
            throw new IllegalArgumentException("`" + name + "` is no name of a task: it has no number behind a dash");
        }
        Map<String, String> connectorConfig = Json.texts(request, "connector_config");
        String className = connectorConfig.get("connector.class");
        if (className == null) {
            throw new IllegalArgumentException("The configuration of task " + name + "'s connector has no `connector.class`");
        }
        return new TaskRequest(plugins, plugins.connectorLoader(className, connectorConfig), name,
                new ConnectorTaskId(Json.text(request, "connector"), Integer.parseInt(name.substring(dash + 1))),
                request.path("lane").asLong(), request.path("commit_lane").asLong(), request.path("prepare_lane").asLong(), request.path("exactly_once").asBoolean(),
                new HashMap<>(connectorConfig), Json.texts(request, "task_config"), Json.texts(request, "worker_config"));
    }
}
