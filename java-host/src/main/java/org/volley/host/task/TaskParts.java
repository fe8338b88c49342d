package org.volley.host.task;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.config.AbstractConfig;
import org.apache.kafka.common.internals.Plugin;
import org.apache.kafka.common.metrics.internals.PluginMetricsImpl;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.connect.connector.ConnectRecord;
import org.apache.kafka.connect.connector.Task;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.runtime.ConnectorConfig;
import org.apache.kafka.connect.runtime.TaskConfig;
import org.apache.kafka.connect.runtime.TransformationChain;
import org.apache.kafka.connect.runtime.WorkerConfig;
import org.apache.kafka.connect.runtime.errors.ErrorHandlingMetrics;
import org.apache.kafka.connect.runtime.errors.ErrorReporter;
import org.apache.kafka.connect.runtime.errors.RetryWithToleranceOperator;
import org.apache.kafka.connect.runtime.errors.ToleranceType;
import org.apache.kafka.connect.runtime.isolation.Plugins;
import org.apache.kafka.connect.storage.Converter;
import org.apache.kafka.connect.storage.HeaderConverter;
import org.apache.kafka.connect.util.ConnectorTaskId;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.volley.host.Metrics;
import org.volley.host.plugins.PluginScope;

/**
 * The plug-ins of one task, and Kafka's handling of their errors: the task, its converters and its chain of transformations, made in the
 * order of Kafka's worker and each looked for where it looks. T is what a record is made of before the chain, R the record.
 */
final class TaskParts<T, R extends ConnectRecord<R>> implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(TaskParts.class);

    final ConnectorTaskId id;
    final ClassLoader loader;
    final Plugins plugins;
    /** Of the task. */
    final String version;
    private final Task task;
    final Converter keyConverter;
    final Converter valueConverter;
    final HeaderConverter headerConverter;
    final RetryWithToleranceOperator<T> operator;
    final TransformationChain<T, R> chain;
    final ErrorHandlingMetrics errorMetrics;
    final PluginMetricsImpl pluginMetrics;
    private volatile boolean cancelled;
    private final Map<String, AutoCloseable> toClose = new LinkedHashMap<>();

    /** @param tolerance of errors in converters and transformations */
    TaskParts(TaskRequest request, ConnectorConfig config, ToleranceType tolerance, Metrics metrics) {
        this.id = request.id();
        this.loader = request.loader();
        this.plugins = request.plugins().plugins();
        try {
            Class<? extends Task> taskClass = new TaskConfig(request.taskConfig()).getClass("task.class").asSubclass(Task.class);
            this.task = plugins.newTask(taskClass);
            this.version = task.version();
            WorkerConfig workerConfig = Metrics.workerConfig(request.workerConfig());
            Plugin<Converter> key = metrics.kafka().wrap(converter("key", config, workerConfig, request), id, true);
            toClose.put("key converter", key);
            Plugin<Converter> value = metrics.kafka().wrap(converter("value", config, workerConfig, request), id, false);
            toClose.put("value converter", value);
            Plugin<HeaderConverter> header = metrics.kafka().wrap(headerConverter(config, workerConfig), id);
            toClose.put("header converter", header);
            this.keyConverter = key.get();
            this.valueConverter = value.get();
            this.headerConverter = header.get();
            this.errorMetrics = new ErrorHandlingMetrics(id, metrics.kafka());
            toClose.put("error metrics", errorMetrics);
            this.operator = new RetryWithToleranceOperator<>(config.errorRetryTimeout(), config.errorMaxDelayInMillis(), tolerance,
                    Time.SYSTEM, errorMetrics);
            this.chain = new TransformationChain<>(config.<R>transformationStages(plugins, id, metrics.kafka()), operator);
            toClose.put("transformations", chain);
            toClose.put("error reporters", operator);
            // in this order in the names of MBeans, as in Kafka: exporters have rules for them
            Map<String, String> tags = new LinkedHashMap<>(Map.of("connector", id.connector()));
            tags.put("task", Integer.toString(id.task()));
            this.pluginMetrics = metrics.ofPlugin(tags);
            toClose.put("plug-in metrics", pluginMetrics);
        } catch (Throwable error) {
            close();
            throw error;
        }
    }

    /** The task as one of this kind. */
    <K extends Task> K task(Class<K> kind) {
        if (kind.isInstance(task)) {
            return kind.cast(task);
        }
        close();
        throw new ConnectException(task.getClass().getName() + " is no " + kind.getSimpleName());
    }

    /** Ends waits between retries. What then fails did not use up its time, so it is neither skipped nor rejected. */
    void cancel() {
        cancelled = true;
        operator.triggerStop();
    }

    /** Fails if a record that gave nothing may have done so because its retries were ended. */
    void checkNotCancelled() {
        if (cancelled) {
            throw new ConnectException("Task " + id + " was cancelled while its converters and transformations retried");
        }
    }

    /** An operator that handles errors of the same task with another tolerance and another reporter. */
    RetryWithToleranceOperator<T> reporting(ToleranceType tolerance, ErrorReporter<T> reporter) {
        RetryWithToleranceOperator<T> reporting = new RetryWithToleranceOperator<>(0, 0, tolerance, Time.SYSTEM, errorMetrics);
        reporting.reporters(List.of(reporter));
        return reporting;
    }

    @Override
    public void close() {
        try (PluginScope scope = PluginScope.ofTask(loader, id)) {
            toClose.forEach(this::close);
        }
        toClose.clear();
    }

    private void close(String what, AutoCloseable part) {
        try {
            part.close();
        } catch (Throwable error) {
            LOG.warn("The {} of task {} could not be closed", what, id, error);
        }
    }

    private Converter converter(String which, ConnectorConfig config, WorkerConfig workerConfig, TaskRequest request) {
        Converter own = converter(which, config);
        if (own != null) {
            return own;
        }
        if (!request.workerConfig().containsKey(which + ".converter")) {
            throw new ConnectException("Neither connector " + id.connector() + " nor its worker has the key " + which
                    + ".converter. One of both has to have it");
        }
        return converter(which, workerConfig);
    }

    private Converter converter(String which, AbstractConfig config) {
        return plugins.newConverter(config, which + ".converter", which + ".converter.plugin.version");
    }

    private HeaderConverter headerConverter(ConnectorConfig config, WorkerConfig workerConfig) {
        HeaderConverter own = headerConverter(config);
        return own == null ? headerConverter(workerConfig) : own;
    }

    private HeaderConverter headerConverter(AbstractConfig config) {
        return plugins.newHeaderConverter(config, "header.converter", "header.converter.plugin.version");
    }
}
