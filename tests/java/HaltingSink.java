import java.util.List;
import java.util.Map;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.connect.connector.Task;
import org.apache.kafka.connect.sink.SinkConnector;

/** A plug-in that ends whoever makes an instance of it. */
public final class HaltingSink extends SinkConnector {
    public HaltingSink() {
        Runtime.getRuntime().halt(9);
    }

    @Override
    public String version() {
        return "1";
    }

    @Override
    public void start(Map<String, String> config) {
    }

    @Override
    public Class<? extends Task> taskClass() {
        return null;
    }

    @Override
    public List<Map<String, String>> taskConfigs(int maxTasks) {
        return List.of();
    }

    @Override
    public void stop() {
    }

    @Override
    public ConfigDef config() {
        return new ConfigDef();
    }
}
