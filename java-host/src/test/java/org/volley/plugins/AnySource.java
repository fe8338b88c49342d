package org.volley.plugins;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.config.Config;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.Type;
import org.apache.kafka.common.metrics.Measurable;
import org.apache.kafka.connect.connector.Task;
import org.apache.kafka.connect.source.ConnectorTransactionBoundaries;
import org.apache.kafka.connect.source.ExactlyOnceSupport;
import org.apache.kafka.connect.source.SourceConnector;

/** A source connector that tells what is called. */
public class AnySource extends SourceConnector {
    /** One for all that a loader loads. */
    private static final AtomicInteger STARTED = new AtomicInteger();

    private Map<String, String> config;

    @Override
    public String version() {
        return "2.5";
    }

    @Override
    public ConfigDef config() {
        return new ConfigDef()
                .define("secret", Type.PASSWORD, "hush", Importance.HIGH, "A secret", "Group", 3, ConfigDef.Width.SHORT, "The secret",
                        List.of("script"))
                .define("script", Type.STRING, Importance.LOW, "What its task does");
    }

    @Override
    public Config validate(Map<String, String> given) {
        Say.called(this, "validate " + given.get("script"));
        if ("hang".equals(given.get("script"))) {
            await();
        }
        Config answer = super.validate(given);
        answer.configValues().forEach(value -> value.recommendedValues(List.of("better")));
        return answer;
    }

    @Override
    public void start(Map<String, String> given) {
        config = given;
        Say.called(this, "start connector");
        if ("where".equals(given.get("script"))) {
            Say.where(this, "connector " + given.get("name"));
        }
        if (given.containsKey("reads")) {
            Map<String, Object> offset = context().offsetStorageReader().offset(Map.of("p", 1));
            Say.say("offset " + offset + " of " + offset.get("n").getClass().getSimpleName());
        }
        if (given.containsKey("counts")) {
            Say.say("started " + STARTED.incrementAndGet());
        }
        if (given.containsKey("measures")) {
            context().pluginMetrics().addMetric(context().pluginMetrics().metricName("starts", "Starts", new LinkedHashMap<>()),
                    (Measurable) (now, when) -> 1);
        }
        if (given.containsKey("asks")) {
            context().requestTaskReconfiguration();
            context().raiseError(new IllegalStateException("broken"));
        }
    }

    @Override
    public Class<? extends Task> taskClass() {
        return ScriptedSource.class;
    }

    @Override
    public List<Map<String, String>> taskConfigs(int maxTasks) {
        Say.called(this, "taskConfigs");
        List<Map<String, String>> configs = new ArrayList<>();
        for (int i = 0; i < maxTasks; i++) {
            configs.add(config);
        }
        return configs;
    }

    @Override
    public void stop() {
        Say.called(this, "stop connector");
    }

    @Override
    public ExactlyOnceSupport exactlyOnceSupport(Map<String, String> given) {
        return given.containsKey("once") ? ExactlyOnceSupport.SUPPORTED : null;
    }

    @Override
    public ConnectorTransactionBoundaries canDefineTransactionBoundaries(Map<String, String> given) {
        return ConnectorTransactionBoundaries.UNSUPPORTED;
    }

    @Override
    public boolean alterOffsets(Map<String, String> given, Map<Map<String, ?>, Map<String, ?>> offsets) {
        offsets.forEach((partition, offset) -> Say.say("alter " + new TreeMap<>(partition) + " to " + offset));
        return true;
    }

    static void await() {
        try {
            new java.util.concurrent.CountDownLatch(1).await();
        } catch (InterruptedException error) {
            throw new IllegalStateException(error);
        }
    }
}
