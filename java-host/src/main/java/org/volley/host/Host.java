package org.volley.host;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.connect.errors.ConnectException;
import org.volley.host.connector.HostedConnector;
import org.volley.host.connector.Offers;
import org.volley.host.plugins.ConfigProviders;
import org.volley.host.plugins.Definition;
import org.volley.host.plugins.PluginSet;
import org.volley.host.task.HostedSinkTask;
import org.volley.host.task.HostedSourceTask;
import org.volley.host.task.HostedTask;
import org.volley.host.task.TaskRequest;
import org.volley.host.wire.CallBacks;
import org.volley.host.wire.Control;
import org.volley.host.wire.Endpoint;
import org.volley.host.wire.Failure;
import org.volley.host.wire.Json;

/** What this process runs, and the worker's calls about it. */
final class Host implements Control.Calls {
    private final Endpoint endpoint;
    private final CallBacks worker;
    private final Metrics metrics = new Metrics();
    private final ConfigProviders providers = new ConfigProviders();
    private final Map<String, HostedConnector> connectors = new ConcurrentHashMap<>();
    private final Map<String, HostedTask> tasks = new ConcurrentHashMap<>();
    private PluginSet plugins;

    Host(Endpoint endpoint, CallBacks worker) {
        this.endpoint = endpoint;
        this.worker = worker;
    }

    @Override
    public JsonNode answer(String call, JsonNode request) throws Exception {
        return switch (call) {
            case "LOCATIONS" -> parts(list(request, "locations"));
            case "SCAN" -> scanned(use(request.has("part")
                    ? PluginSet.scanPart(Json.text(request, "part"), Json.text(request, "discovery"))
                    : PluginSet.scan(list(request, "locations"), Json.text(request, "discovery"))));
            case "USE" -> {
                if (request.has("plugins")) {
                    plugins().add(plugins(request));
                } else {
                    use(PluginSet.scan(list(request, "locations"), Json.text(request, "discovery")));
                }
                yield Json.object();
            }
            case "DESCRIBE" -> Definition.describe(plugins(), Json.text(request, "class"), Json.text(request, "kind"),
                    request.path("version").textValue());
            case "VALIDATE" -> Definition.validate(plugins(), Json.text(request, "class"), Json.texts(request, "config"));
            case "EXACTLY_ONCE" -> offers(request).exactlyOnce();
            case "BOUNDARIES" -> offers(request).boundaries();
            case "ALTER_OFFSETS" -> offers(request).alterOffsets(request.path("offsets"));
            case "PROVIDER_NEW" -> {
                makeProvider(request);
                yield Json.object();
            }
            case "PROVIDER_GET" -> {
                String name = makeProvider(request);
                yield providers.get(plugins(), name, Json.text(request, "path"), new LinkedHashSet<>(list(request, "keys")));
            }
            case "PROVIDER_CLOSE" -> {
                providers.close(plugins(), Json.text(request, "provider"));
                yield Json.object();
            }
            case "CONNECTOR_START" -> startConnector(request);
            case "TASK_CONFIGS" -> connector(request).taskConfigs(request.path("max_tasks").asInt());
            case "CONNECTOR_STOP" -> {
                HostedConnector connector = connectors.remove(Json.text(request, "connector"));
                if (connector != null) {
                    connector.stop();
                }
                yield Json.object();
            }
            case "TASK_NEW" -> newTask(request);
            case "TASK_CANCEL" -> {
                task(request).cancel();
                yield Json.object();
            }
            case "TASK_END" -> {
                HostedTask task = tasks.remove(Json.text(request, "task"));
                if (task != null) {
                    task.end();
                }
                yield Json.object();
            }
            case "LOGGER" -> {
                Logs.setLevel(Json.text(request, "name"), Json.text(request, "level"));
                yield Json.object();
            }
            case "METRICS" -> Metrics.read();
            case "DUMP" -> Json.object().put("threads", Threads.dump());
            case "EXIT" -> Json.object();
            default -> throw new IllegalArgumentException("This host has no call `" + call + "`");
        };
    }

    private synchronized PluginSet use(PluginSet plugins) {
        this.plugins = plugins;
        return plugins;
    }

    private synchronized PluginSet plugins() {
        if (plugins == null) {
            plugins = PluginSet.classPathOnly();
        }
        return plugins;
    }

    private static ObjectNode scanned(PluginSet plugins) {
        ObjectNode ok = Json.object();
        ArrayNode list = ok.putArray("plugins");
        for (PluginSet.Found plugin : plugins.found()) {
            list.addObject().put("class", plugin.className()).put("kind", plugin.kind()).put("version", plugin.version())
                    .put("location", plugin.location());
        }
        putBroken(ok, plugins.broken());
        return ok;
    }

    private static ObjectNode parts(List<String> locations) {
        ObjectNode ok = Json.object();
        Map<String, Throwable> broken = new LinkedHashMap<>();
        ArrayNode parts = ok.putArray("parts");
        PluginSet.parts(locations, broken).forEach(part -> parts.add(part.toString()));
        putBroken(ok, broken);
        return ok;
    }

    private static void putBroken(ObjectNode ok, Map<String, Throwable> broken) {
        ArrayNode list = ok.putArray("broken");
        broken.forEach((location, error) -> list.addObject().put("location", location).set("error", Failure.of(error)));
    }

    private static List<PluginSet.Found> plugins(JsonNode request) {
        List<PluginSet.Found> plugins = new ArrayList<>();
        for (JsonNode each : request.path("plugins")) {
            plugins.add(new PluginSet.Found(Json.text(each, "class"), Json.text(each, "kind"), Json.text(each, "version"),
                    Json.text(each, "location")));
        }
        return plugins;
    }

    private Offers offers(JsonNode request) {
        return new Offers(plugins(), Json.text(request, "class"), Json.texts(request, "config"));
    }

    private String makeProvider(JsonNode request) throws Exception {
        String name = Json.text(request, "provider");
        providers.make(plugins(), name, Json.text(request, "class"), Json.texts(request, "config"));
        return name;
    }

    private ObjectNode startConnector(JsonNode request) throws Exception {
        String name = Json.text(request, "connector");
        HostedConnector connector = new HostedConnector(plugins(), worker, metrics, name, Json.text(request, "class"),
                Json.texts(request, "config"));
        ObjectNode started = connector.start();
        connectors.put(name, connector);
        return started;
    }

    private ObjectNode newTask(JsonNode request) {
        TaskRequest wanted = TaskRequest.of(plugins(), request);
        HostedTask task = Json.text(request, "kind").equals("source")
                ? new HostedSourceTask(wanted, endpoint, worker, metrics)
                : new HostedSinkTask(wanted, endpoint, worker, metrics);
        try {
            task.open();
        } catch (RuntimeException error) {
            task.end();
            throw error;
        }
        tasks.put(wanted.name(), task);
        return task.description();
    }

    private HostedConnector connector(JsonNode request) {
        return known(connectors, "connector", Json.text(request, "connector"));
    }

    private HostedTask task(JsonNode request) {
        return known(tasks, "task", Json.text(request, "task"));
    }

    private static <T> T known(Map<String, T> all, String what, String name) {
        T one = all.get(name);
        if (one == null) {
            throw new ConnectException("There is no " + what + " `" + name + "` in this host");
        }
        return one;
    }

    private static List<String> list(JsonNode request, String member) {
        List<String> list = new ArrayList<>();
        request.path(member).forEach(each -> list.add(each.asText()));
        return list;
    }
}
