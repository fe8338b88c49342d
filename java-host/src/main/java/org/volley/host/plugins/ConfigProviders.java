package org.volley.host.plugins;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.config.ConfigData;
import org.apache.kafka.common.config.provider.ConfigProvider;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.runtime.isolation.LoaderSwap;
import org.volley.host.wire.Json;

/** The config providers of the worker. Each is made when it is first asked, and asked from several threads, as by Kafka's herders. */
public final class ConfigProviders {
    private final Map<String, ConfigProvider> providers = new HashMap<>();

    /** Makes and configures a provider, unless it is there. */
    public synchronized void make(PluginSet plugins, String name, String className, Map<String, String> config) throws Exception {
        if (providers.containsKey(name)) {
            return;
        }
        Object plugin = plugins.plugins().newPlugin(className, null);
        if (!(plugin instanceof ConfigProvider provider)) {
            throw new ConnectException(className + " is no config provider");
        }
        try (LoaderSwap swap = inLoaderOf(plugins, provider)) {
            provider.configure(config);
        }
        providers.put(name, provider);
    }

    /** The values of these keys at a path, and for how many milliseconds they hold: nothing where that is for ever. */
    public ObjectNode get(PluginSet plugins, String name, String path, Set<String> keys) throws Exception {
        ConfigProvider provider = provider(name);
        ConfigData data;
        try (LoaderSwap swap = inLoaderOf(plugins, provider)) {
            data = provider.get(path, keys);
        }
        if (data == null) {
            throw new ConnectException("The config provider " + provider.getClass().getName() + " has answered with null");
        }
        ObjectNode answer = Json.object().put("ttl_ms", data.ttl());
        answer.set("values", Json.ofTexts(data.data()));
        return answer;
    }

    /** Closes a provider, if it was made. */
    public void close(PluginSet plugins, String name) throws Exception {
        ConfigProvider provider;
        synchronized (this) {
            provider = providers.remove(name);
        }
        if (provider != null) {
            try (LoaderSwap swap = inLoaderOf(plugins, provider)) {
                provider.close();
            }
        }
    }

    private synchronized ConfigProvider provider(String name) {
        ConfigProvider provider = providers.get(name);
        if (provider == null) {
            throw new ConnectException("The config provider was closed meanwhile");
        }
        return provider;
    }

    private static LoaderSwap inLoaderOf(PluginSet plugins, ConfigProvider provider) {
        return plugins.plugins().withClassLoader(provider.getClass().getClassLoader());
    }
}
