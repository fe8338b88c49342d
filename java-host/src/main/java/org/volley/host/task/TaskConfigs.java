package org.volley.host.task;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.connect.errors.ConnectException;
import org.volley.host.wire.CallBacks;
import org.volley.host.wire.Json;

/** A task's configuration as the worker has it now, its variables resolved anew. */
final class TaskConfigs {
    private TaskConfigs() {
    }

    static Map<String, String> read(CallBacks worker, String task) {
        try {
            JsonNode config = worker.call("CONFIGS", Json.object().put("task", task)).get();
            return Json.texts(Json.object().set("config", config), "config");
        } catch (InterruptedException | ExecutionException error) {
            throw new ConnectException("The worker did not give the configuration of task " + task, error);
        }
    }
}
