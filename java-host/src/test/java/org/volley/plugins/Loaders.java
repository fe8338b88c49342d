package org.volley.plugins;

import com.fasterxml.jackson.annotation.JsonCreator;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.connect.connector.ConnectRecord;
import org.apache.kafka.connect.transforms.predicates.Predicate;
import org.slf4j.Logger;

/** Tells which loaders its classes come from. */
public class Loaders<R extends ConnectRecord<R>> implements Predicate<R> {
    @Override
    public ConfigDef config() {
        Say.called(this, "own " + kind(Loaders.class) + ", beside it " + kind(JsonCreator.class) + ", kafka " + kind(ConfigDef.class)
                + ", slf4j " + kind(Logger.class));
        return new ConfigDef();
    }

    private static String kind(Class<?> type) {
        return type.getClassLoader().getClass().getSimpleName();
    }

    @Override
    public boolean test(R record) {
        return true;
    }

    @Override
    public void configure(java.util.Map<String, ?> configs) {
    }

    @Override
    public void close() {
    }
}
