package org.volley.host;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/** Makes tasks of the test plug-ins, each with a number and lanes of its own. */
final class TaskScenario {
    static final String SOURCE = "org.volley.plugins.AnySource";
    static final String SINK = "org.volley.plugins.AnySink";
    static final Map<String, String> TWO_CHANGES = Map.of("transforms", "one,two", "transforms.one.type", "org.volley.plugins.Changes",
            "transforms.one.called", "first", "transforms.two.type", "org.volley.plugins.Changes", "transforms.two.called", "second");

    private static final AtomicInteger NUMBER = new AtomicInteger();

    final String task;
    final JsonNode made;
    final Wire lane;
    private final ScriptedWorker worker;
    private final int number = NUMBER.getAndIncrement();

    private TaskScenario(ScriptedWorker worker, String kind, boolean exactlyOnce, Map<String, String> more) {
        this.worker = worker;
        this.task = "c" + number + "-0";
        Map<String, String> config = new HashMap<>(Map.of("name", "c" + number, "connector.class", kind.equals("source") ? SOURCE : SINK,
                "value.converter", "org.volley.plugins.TellingConverter"));
        if (kind.equals("sink")) {
            config.put("topics", "t");
        }
        config.putAll(more);
        Map<String, String> taskConfig = new HashMap<>(config);
        taskConfig.put("task.class", "org.volley.plugins.Scripted" + (kind.equals("source") ? "Source" : "Sink"));
        made = worker.call("TASK_NEW", "task", task, "connector", "c" + number, "kind", kind, "lane", 2 * number,
                kind.equals("source") ? "commit_lane" : "prepare_lane", 2 * number + 1, "exactly_once", exactlyOnce, "connector_config", config, "task_config", taskConfig, "worker_config",
                Map.of("key.converter", "org.volley.plugins.TellingConverter"));
        lane = worker.lane(2 * number);
    }

    static TaskScenario source(ScriptedWorker worker, String script, Map<String, String> more) {
        return source(worker, script, more, false);
    }

    static TaskScenario source(ScriptedWorker worker, String script, Map<String, String> more, boolean exactlyOnce) {
        Map<String, String> config = new HashMap<>(more);
        config.put("script", script);
        return new TaskScenario(worker, "source", exactlyOnce, config).started();
    }

    /** A sink task with partition 0 of topic t open. */
    static TaskScenario sink(ScriptedWorker worker, Map<String, String> more) {
        TaskScenario scenario = new TaskScenario(worker, "sink", false, more).started();
        scenario.lane.done(21, "[{\"topic\":\"t\",\"partition\":0,\"offset\":0}]");
        return scenario;
    }

    String connector() {
        return "c" + number;
    }

    /** A sink's, on which puts are prepared. */
    Wire prepareLane() {
        return worker.lane(2 * number + 1);
    }

    Wire commitLane() {
        return worker.lane(2 * number + 1);
    }

    private TaskScenario started() {
        worker.forgetLines();
        lane.done(16);
        return this;
    }

    /** A worker whose host knows the test plug-ins. */
    static ScriptedWorker worker(Path directory) throws Exception {
        Path plugin = PluginPath.withTestPlugins(directory, "test-plugins", "org.volley.plugins", Map.of()).resolve("test-plugins");
        ScriptedWorker worker = new ScriptedWorker();
        worker.call("USE", "plugins", List.of(at(plugin, SOURCE, "source"), at(plugin, SINK, "sink"),
                at(plugin, "org.volley.plugins.Changes", "transformation"), at(plugin, "org.volley.plugins.TellingConverter", "converter"),
                at(plugin, "org.volley.plugins.AnyProvider", "config_provider")));
        return worker;
    }

    private static Map<String, String> at(Path plugin, String className, String kind) {
        return Map.of("class", className, "kind", kind, "version", "2.5", "location", plugin.toString());
    }
}
