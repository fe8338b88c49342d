package org.volley.host;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.HashMap;
import java.util.Map;
import javax.management.JMException;
import javax.management.MBeanAttributeInfo;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import org.apache.kafka.common.metrics.internals.PluginMetricsImpl;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.connect.runtime.ConnectMetrics;
import org.apache.kafka.connect.runtime.standalone.StandaloneConfig;
import org.apache.kafka.connect.storage.SimpleHeaderConverter;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.volley.host.wire.Json;

/** Kafka's registry of metrics with its JMX reporter, which its error handling and plug-ins write to, and what all MBeans say. */
public final class Metrics {
    private static final Logger LOG = LoggerFactory.getLogger(Metrics.class);

    private ConnectMetrics kafka;

    /** The registry, made when it is first needed. */
    public synchronized ConnectMetrics kafka() {
        if (kafka == null) {
            kafka = new ConnectMetrics("volley", workerConfig(Map.of()), Time.SYSTEM, "volley");
        }
        return kafka;
    }

    /** The metrics of one plug-in, with these tags. */
    public PluginMetricsImpl ofPlugin(Map<String, String> tags) {
        return new PluginMetricsImpl(kafka().metrics(), tags);
    }

    /** Takes a plug-in's metrics out of the registry. */
    public static void close(PluginMetricsImpl metrics) {
        try {
            metrics.close();
        } catch (IOException error) {
            LOG.warn("The metrics of a plug-in could not be taken out", error);
        }
    }

    /** A worker configuration of Kafka's own with these keys. What Kafka wants beside them, and nothing here uses, is filled in. */
    public static StandaloneConfig workerConfig(Map<String, String> keys) {
        Map<String, String> all = new HashMap<>(keys);
        all.put("bootstrap.servers", "none:1");
        all.put("offset.storage.file.filename", "none");
        all.putIfAbsent("key.converter", "org.apache.kafka.connect.json.JsonConverter");
        all.putIfAbsent("value.converter", "org.apache.kafka.connect.json.JsonConverter");
        all.putIfAbsent("header.converter", SimpleHeaderConverter.class.getName());
        return new StandaloneConfig(all);
    }

    /** Numeric attributes of all MBeans but the JVM's own. */
    public static ObjectNode read() {
        MBeanServer server = ManagementFactory.getPlatformMBeanServer();
        ArrayNode metrics = Json.array();
        for (ObjectName name : server.queryNames(null, null)) {
            if (isOfTheJvm(name.getDomain())) {
                continue;
            }
            ObjectNode attributes = attributes(server, name);
            if (!attributes.isEmpty()) {
                metrics.addObject().put("name", name.toString()).set("attributes", attributes);
            }
        }
        return Json.object().set("metrics", metrics);
    }

    private static ObjectNode attributes(MBeanServer server, ObjectName name) {
        ObjectNode attributes = Json.object();
        try {
            for (MBeanAttributeInfo attribute : server.getMBeanInfo(name).getAttributes()) {
                if (attribute.isReadable()) {
                    put(attributes, attribute.getName(), value(server, name, attribute.getName()));
                }
            }
        } catch (JMException gone) {
            LOG.debug("MBean {} cannot be read", name, gone);
        }
        return attributes;
    }

    private static Object value(MBeanServer server, ObjectName name, String attribute) {
        try {
            return server.getAttribute(name, attribute);
        } catch (JMException | RuntimeException error) {
            LOG.debug("Attribute {} of MBean {} cannot be read", attribute, name, error);
            return null;
        }
    }

    private static void put(ObjectNode attributes, String name, Object value) {
        if (value instanceof Number number && Double.isFinite(number.doubleValue())) {
            attributes.put(name, number.doubleValue());
        }
    }

    private static boolean isOfTheJvm(String domain) {
        return domain.startsWith("java.") || domain.startsWith("jdk.") || domain.startsWith("com.sun.")
                || domain.equals("JMImplementation");
    }
}
