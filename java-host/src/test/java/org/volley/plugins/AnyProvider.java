package org.volley.plugins;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.config.ConfigData;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.config.provider.ConfigProvider;

/** A config provider that tells what is called. Its values are the paths, keys and parameters that it was given. */
public class AnyProvider implements ConfigProvider {
    private Map<String, ?> params;

    @Override
    public void configure(Map<String, ?> given) {
        Say.called(this, "configure provider " + given);
        params = given;
        if (given.containsKey("fails")) {
            throw new ConfigException("no such store");
        }
    }

    @Override
    public ConfigData get(String path) {
        throw new UnsupportedOperationException("Connect asks for keys");
    }

    @Override
    public ConfigData get(String path, Set<String> keys) {
        Say.called(this, "get");
        if (path.equals("sealed")) {
            throw new IllegalStateException("the store is sealed");
        }
        if (path.equals("null")) {
            return null;
        }
        Map<String, String> values = new HashMap<>();
        keys.forEach(key -> values.put(key, path + "/" + key + params));
        values.remove("gone");
        values.replace("null", null);
        return path.equals("leased") ? new ConfigData(values, 1500L) : new ConfigData(values);
    }

    @Override
    public void close() {
        Say.called(this, "close provider");
    }
}
