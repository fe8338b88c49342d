package org.volley.plugins;

import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.connect.connector.ConnectRecord;
import org.apache.kafka.connect.transforms.predicates.Predicate;

/** A predicate that is true of all records, and tells of those that ask where it is from. */
public class Whatever<R extends ConnectRecord<R>> implements Predicate<R> {
    @Override
    public ConfigDef config() {
        return new ConfigDef();
    }

    @Override
    public boolean test(R record) {
        Say.called(this, "test " + record.value());
        if ("where".equals(record.value())) {
            Say.where(this, "predicate");
        }
        return true;
    }

    @Override
    public void configure(java.util.Map<String, ?> configs) {
    }

    @Override
    public void close() {
    }
}
