package org.volley.host;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;

/** Directories of plug-ins for the tests: Kafka's file connectors, and those of src/test as jars. */
final class PluginPath {
    private PluginPath() {
    }

    /** A directory with the file connectors of Kafka in it, as users have them. */
    static Path withFileConnectors(Path directory) throws Exception {
        Path jar = Path.of(org.apache.kafka.connect.file.FileStreamSourceConnector.class.getProtectionDomain().getCodeSource().getLocation()
                .toURI());
        Path plugin = Files.createDirectories(directory.resolve("connect-file"));
        Files.copy(jar, plugin.resolve(jar.getFileName()));
        return directory;
    }

    /** A directory with a plug-in in it, made of a package of the test classes, with these service files. */
    static Path withTestPlugins(Path directory, String name, String packageName, Map<String, List<String>> services) throws IOException {
        Path plugin = Files.createDirectories(directory.resolve(name));
        String folder = packageName.replace('.', '/');
        Path classes = Path.of("target/test-classes");
        try (OutputStream file = Files.newOutputStream(plugin.resolve(name + ".jar")); JarOutputStream jar = new JarOutputStream(file);
                Stream<Path> all = Files.walk(classes.resolve(folder))) {
            for (Path path : all.filter(Files::isRegularFile).sorted().toList()) {
                jar.putNextEntry(new JarEntry(classes.relativize(path).toString()));
                jar.write(Files.readAllBytes(path));
            }
            for (Map.Entry<String, List<String>> service : services.entrySet()) {
                jar.putNextEntry(new JarEntry("META-INF/services/" + service.getKey()));
                jar.write(String.join("\n", service.getValue()).getBytes(StandardCharsets.UTF_8));
            }
        }
        return directory;
    }
}
