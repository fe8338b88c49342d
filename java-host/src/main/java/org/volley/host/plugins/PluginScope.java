package org.volley.host.plugins;

import org.apache.kafka.connect.runtime.isolation.LoaderSwap;
import org.apache.kafka.connect.runtime.isolation.Plugins;
import org.apache.kafka.connect.util.ConnectorTaskId;
import org.apache.kafka.connect.util.LoggingContext;

/** What each call of a plug-in happens in: its class loader is the thread's, and log lines say whose they are. */
public final class PluginScope implements AutoCloseable {
    private final LoggingContext logging;
    private final LoaderSwap swap;

    private PluginScope(LoggingContext logging, ClassLoader loader) {
        this.logging = logging;
        this.swap = new LoaderSwap(Plugins.compareAndSwapLoaders(loader));
    }

    public static PluginScope ofConnector(ClassLoader loader, String name) {
        return new PluginScope(LoggingContext.forConnector(name), loader);
    }

    public static PluginScope ofTask(ClassLoader loader, ConnectorTaskId task) {
        return new PluginScope(LoggingContext.forTask(task), loader);
    }

    /** The calls of a source task's commit lane. */
    public static PluginScope ofCommits(ClassLoader loader, ConnectorTaskId task) {
        return new PluginScope(LoggingContext.forOffsets(task), loader);
    }

    @Override
    public void close() {
        swap.close();
        logging.close();
    }
}
