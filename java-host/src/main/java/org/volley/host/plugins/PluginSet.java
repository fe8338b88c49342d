package org.volley.host.plugins;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.kafka.connect.connector.Connector;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.runtime.ConnectorConfig;
import org.apache.kafka.connect.runtime.isolation.ClassLoaderFactory;
import org.apache.kafka.connect.runtime.isolation.PluginDesc;
import org.apache.kafka.connect.runtime.isolation.PluginDiscoveryMode;
import org.apache.kafka.connect.runtime.isolation.PluginScanResult;
import org.apache.kafka.connect.runtime.isolation.PluginSource;
import org.apache.kafka.connect.runtime.isolation.PluginUtils;
import org.apache.kafka.connect.runtime.isolation.Plugins;
import org.apache.maven.artifact.versioning.InvalidVersionSpecificationException;
import org.apache.maven.artifact.versioning.VersionRange;

/** The plug-ins that can be used, each in its own class loader: Kafka's {@link Plugins}, and how it came to know them. */
public final class PluginSet {
    /** The location of what is on the host's own class path. */
    public static final String CLASS_PATH = "classpath";

    /** What Kafka says of plug-ins that it has found by reflection only. */
    private static final String MISSING_SERVICE_FILES = "missing ServiceLoader manifests";

    /** A plug-in as it was found. {@code kind} is the protocol's word for it. */
    public record Found(String className, String kind, String version, String location) {
    }

    private final Plugins plugins;
    private final List<Found> found = new ArrayList<>();
    private final Map<String, Throwable> broken;
    /** By location. What was loaded by one stays with it: a connector and its tasks may share what is static. */
    private final Map<String, ClassLoader> loaders = new HashMap<>();
    private final PluginLists lists = new PluginLists();

    private PluginSet(Plugins plugins, Map<String, Throwable> broken) {
        this.plugins = plugins;
        this.broken = broken;
    }

    /** What is on the host's own class path only. */
    public static PluginSet classPathOnly() {
        return new PluginSet(new Plugins(Map.of("plugin.discovery", PluginDiscoveryMode.SERVICE_LOAD.toString())), Map.of());
    }

    /** Looks for plug-ins in the parts of a plug-in path. A part that cannot be scanned is left out and told by {@link #broken}. */
    public static PluginSet scan(List<String> locations, String discovery) {
        PluginDiscoveryMode mode = mode(discovery);
        Map<String, Throwable> broken = new LinkedHashMap<>();
        Set<Path> paths = parts(locations, broken);
        try {
            PluginSet set = new PluginSet(classPathOnly().plugins, broken);
            set.find(paths, mode);
            return set;
        } catch (Throwable error) {
            refuseMissingServiceFiles(error, mode);
            return scanEach(paths, mode, broken);
        }
    }

    /** The parts of a plug-in path, each with a plug-in of its own; those that cannot be listed go to {@code broken}. No class is loaded. */
    public static Set<Path> parts(List<String> locations, Map<String, Throwable> broken) {
        Set<Path> paths = new LinkedHashSet<>();
        for (String location : locations) {
            try {
                paths.addAll(PluginUtils.pluginLocations(location, true));
            } catch (Throwable error) {
                broken.put(location, error);
            }
        }
        return paths;
    }

    /** Looks for plug-ins in one part of a plug-in path alone, or only on the class path. */
    public static PluginSet scanPart(String part, String discovery) {
        PluginDiscoveryMode mode = mode(discovery);
        PluginSet set = new PluginSet(classPathOnly().plugins, new LinkedHashMap<>());
        if (part.equals(CLASS_PATH)) {
            set.find(Set.of(), mode);
        } else {
            set.findIn(Path.of(part), mode);
        }
        return set;
    }

    /** Adds plug-ins from where they were found before, without looking for others: no class is loaded but those that are named. */
    public synchronized void add(List<Found> known) throws Exception {
        for (Found plugin : known) {
            if (!plugin.location().equals(CLASS_PATH)) {
                ClassLoader loader = loader(plugin.location());
                Class<?> type = Class.forName(plugin.className(), false, loader);
                lists.add(new PluginDesc<>(type, plugin.version(), PluginKind.of(plugin.kind()).type, loader));
            }
        }
        plugins.delegatingLoader().installDiscoveredPlugins(lists.result());
    }

    public Plugins plugins() {
        return plugins;
    }

    public List<Found> found() {
        return found;
    }

    /** Parts of the plug-in path that could not be scanned, and why. */
    public Map<String, Throwable> broken() {
        return broken;
    }

    /** A connector that was not started, of the version that its configuration asks for. */
    public Connector newConnector(String className, Map<String, String> config) throws Exception {
        return plugins.newConnector(className, versionRange(config));
    }

    /** A connector that was not started, of exactly this version; of the newest where it is null. */
    Connector newConnector(String className, String version) throws Exception {
        return plugins.newConnector(className, exactly(version));
    }

    /** A plug-in that is no connector, of exactly this version; of the newest where it is null. */
    Object newPlugin(String className, String version) throws Exception {
        return plugins.newPlugin(className, exactly(version));
    }

    private static VersionRange exactly(String version) throws InvalidVersionSpecificationException {
        return version == null ? null : VersionRange.createFromVersionSpec("[" + version + "]");
    }

    /** The loader of a connector, which all that belongs to it is loaded by. */
    public ClassLoader connectorLoader(String className, Map<String, String> config) {
        return plugins.connectorLoader(className, versionRange(config));
    }

    private static VersionRange versionRange(Map<String, String> config) {
        String version = config.get(ConnectorConfig.CONNECTOR_VERSION);
        try {
            return PluginUtils.connectorVersionRequirement(version);
        } catch (InvalidVersionSpecificationException error) {
            throw new ConnectException("`" + version + "` of key " + ConnectorConfig.CONNECTOR_VERSION + " is no range of versions", error);
        }
    }

    /** Scans one after the other, which tells what cannot be scanned. */
    private static PluginSet scanEach(Set<Path> paths, PluginDiscoveryMode mode, Map<String, Throwable> broken) {
        PluginSet set = new PluginSet(classPathOnly().plugins, broken);
        set.find(Set.of(), mode);
        paths.forEach(path -> set.findIn(path, mode));
        return set;
    }

    /** Looks at this path alone, which is broken if it cannot be scanned. */
    private void findIn(Path path, PluginDiscoveryMode mode) {
        try {
            PluginSource source = PluginUtils.isolatedPluginSource(path, plugins.delegatingLoader(), new ClassLoaderFactory());
            plugins.initLoaders(Set.of(source), mode).forEach(this::found);
        } catch (Throwable error) {
            refuseMissingServiceFiles(error, mode);
            broken.put(path.toString(), error);
        }
    }

    private static PluginDiscoveryMode mode(String discovery) {
        return PluginDiscoveryMode.valueOf(discovery.toUpperCase(Locale.ROOT));
    }

    /** A plug-in without a service file is no reason to leave out its location, but Kafka's reason not to start. */
    private static void refuseMissingServiceFiles(Throwable error, PluginDiscoveryMode mode) {
        if (mode == PluginDiscoveryMode.HYBRID_FAIL && error instanceof ConnectException refusal
                && String.valueOf(error.getMessage()).contains(MISSING_SERVICE_FILES)) {
            throw refusal;
        }
    }

    /** Looks at these paths and at the class path. */
    private void find(Set<Path> paths, PluginDiscoveryMode mode) {
        Set<PluginSource> sources = PluginUtils.pluginSources(paths, plugins.delegatingLoader(), new ClassLoaderFactory());
        plugins.initLoaders(sources, mode).forEach(this::found);
    }

    private void found(PluginDesc<?> plugin) {
        String location = path(plugin.location());
        found.add(new Found(plugin.className(), PluginKind.of(plugin.type()).text, plugin.version(), location));
        loaders.put(location, plugin.loader());
        lists.add(plugin);
    }

    private ClassLoader loader(String location) throws IOException {
        ClassLoader loader = loaders.get(location);
        if (loader == null) {
            loader = PluginUtils.isolatedPluginSource(Path.of(location), plugins.delegatingLoader(), new ClassLoaderFactory()).loader();
            loaders.put(location, loader);
        }
        return loader;
    }

    /** Kafka names a location by its address. */
    private static String path(String location) {
        return location.startsWith("file:") ? Path.of(URI.create(location)).toString() : location;
    }

    /** The lists that Kafka keeps plug-ins in, one of each kind. */
    @SuppressWarnings({"unchecked", "rawtypes"})
    private static final class PluginLists {
        private final Map<PluginKind, TreeSet> lists = new HashMap<>();

        void add(PluginDesc<?> plugin) {
            of(PluginKind.of(plugin.type())).add(plugin);
        }

        PluginScanResult result() {
            return new PluginScanResult(of(PluginKind.SINK), of(PluginKind.SOURCE), of(PluginKind.CONVERTER),
                    of(PluginKind.HEADER_CONVERTER), of(PluginKind.TRANSFORMATION), of(PluginKind.PREDICATE),
                    of(PluginKind.CONFIG_PROVIDER), of(PluginKind.REST_EXTENSION), of(PluginKind.OVERRIDE_POLICY));
        }

        private TreeSet of(PluginKind kind) {
            return lists.computeIfAbsent(kind, any -> new TreeSet());
        }
    }
}
