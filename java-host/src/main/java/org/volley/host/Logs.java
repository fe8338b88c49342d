package org.volley.host;

import java.util.List;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.connect.runtime.Loggers;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.core.Filter;
import org.apache.logging.log4j.core.LogEvent;
import org.apache.logging.log4j.core.LoggerContext;
import org.apache.logging.log4j.core.appender.AbstractAppender;
import org.apache.logging.log4j.core.config.Configuration;
import org.apache.logging.log4j.core.config.Configurator;
import org.apache.logging.log4j.core.config.DefaultConfiguration;
import org.apache.logging.log4j.core.config.LoggerConfig;
import org.apache.logging.log4j.core.config.Property;
import org.apache.logging.log4j.LogManager;
import org.volley.host.wire.CallBacks;
import org.volley.host.wire.Failure;
import org.volley.host.wire.Json;

/** Log lines go to the worker, unless there is a log4j2 file, which then says where they go. */
final class Logs {
    /**
     * What says things at each start that nobody asked for: each plug-in of the class path and its aliases; a worker's configuration,
     * which here is filled up with keys that mean nothing.
     */
    private static final List<String> QUIET = List.of("org.apache.kafka.connect.runtime.isolation",
            "org.apache.kafka.common.config.AbstractConfig");

    private Logs() {
    }

    static void sendTo(CallBacks worker) {
        LoggerContext context = (LoggerContext) LogManager.getContext(false);
        Configuration configuration = context.getConfiguration();
        if (!(configuration instanceof DefaultConfiguration)) {
            return;
        }
        ToWorker appender = new ToWorker(worker);
        appender.start();
        configuration.addAppender(appender);
        LoggerConfig root = configuration.getRootLogger();
        root.getAppenders().keySet().forEach(root::removeAppender);
        root.addAppender(appender, null, (Filter) null);
        root.setLevel(Level.INFO);
        context.updateLoggers();
        QUIET.forEach(logger -> Configurator.setLevel(logger, Level.WARN));
    }

    /** As Kafka's worker sets it. */
    static void setLevel(String logger, String level) {
        Loggers loggers = Loggers.newInstance(Time.SYSTEM);
        if (!loggers.isValidLevel(level)) {
            throw new ConfigException("`" + level + "` is no level of logging");
        }
        loggers.setLevel(logger, level);
    }

    private static final class ToWorker extends AbstractAppender {
        private final CallBacks worker;

        ToWorker(CallBacks worker) {
            super("worker", null, null, true, Property.EMPTY_ARRAY);
            this.worker = worker;
        }

        /** Connect knows no level above ERROR. */
        private static String level(Level level) {
            return level.isMoreSpecificThan(Level.ERROR) ? Level.ERROR.name() : level.getStandardLevel().name();
        }

        @Override
        public void append(LogEvent event) {
            Throwable thrown = event.getThrown();
            worker.tell("LOG", Json.object().put("level", level(event.getLevel()))
                    .put("logger", event.getLoggerName())
                    .put("message", event.getMessage().getFormattedMessage())
                    .put("trace", thrown == null ? null : Failure.trace(thrown))
                    .put("context", event.getContextData().<String>getValue("connector.context")));
        }
    }
}
