package org.volley.plugins;

import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.connect.connector.ConnectRecord;
import org.apache.kafka.connect.errors.RetriableException;
import org.apache.kafka.connect.transforms.Transformation;

/** A transformation that tells of each call and does what the value says. */
public class Changes<R extends ConnectRecord<R>> implements Transformation<R> {
    private final Map<Object, Integer> calls = new HashMap<>();
    private String name;

    @Override
    public void configure(Map<String, ?> configs) {
        name = String.valueOf(configs.get("called"));
    }

    @Override
    public ConfigDef config() {
        return new ConfigDef().define("called", ConfigDef.Type.STRING, "", ConfigDef.Importance.LOW, "Its name");
    }

    @Override
    public R apply(R record) {
        Say.called(this, name + " " + record.value());
        String value = String.valueOf(record.value());
        if (value.equals("where")) {
            Say.where(this, name);
        }
        if (value.equals("drop")) {
            return null;
        }
        if (value.equals("flaky") && name.equals("second") && calls.merge(value, 1, Integer::sum) < 3) {
            throw new RetriableException("once more");
        }
        if (value.equals("make it a report")) {
            return record.newRecord("elsewhere", record.kafkaPartition(), null, "other key", record.valueSchema(), "report", 7L);
        }
        if (value.equals("bad")) {
            throw new IllegalArgumentException("bad value");
        }
        if (value.equals("flakier")) {
            throw new RetriableException("for ever");
        }
        return record;
    }

    @Override
    public void close() {
        Say.say("close " + name);
    }
}
