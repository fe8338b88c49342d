package org.volley.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.jar.JarFile;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The licences of the jars that are shipped. */
class NoticeTest {
    private static final Path SHIPPED = Path.of("target/volley-java");
    private static final String OWN = "volley-java-host.jar";

    /** Licences and their texts, by the name of the jar. */
    private static Map<String, List<String>> notice() throws Exception {
        return Files.readAllLines(Path.of("NOTICE")).stream().map(line -> List.of(line.split("  +")))
                .filter(columns -> columns.get(0).endsWith(".jar")).collect(Collectors.toMap(columns -> columns.get(0), columns -> columns));
    }

    @Test
    void eachJarThatIsShippedIsNamedWithItsVersion() throws Exception {
        TreeSet<String> shipped = new TreeSet<>(List.of(OWN));
        try (Stream<Path> jars = Files.list(SHIPPED)) {
            jars.forEach(jar -> shipped.add(jar.getFileName().toString()));
        }
        assertEquals(shipped, new TreeSet<>(notice().keySet()));
    }

    @Test
    void theTextOfEachLicenceIsShipped() throws Exception {
        for (List<String> columns : notice().values()) {
            String text = columns.get(2);
            String jar = columns.get(0);
            switch (text) {
                case "jar" -> assertTrue(hasLicence(SHIPPED.resolve(jar)), jar);
                case "LICENSE" -> assertTrue(columns.get(1).equals("Apache-2.0") && Files.isRegularFile(Path.of("../LICENSE")), jar);
                default -> assertTrue(text.startsWith("licenses/") && Files.isRegularFile(Path.of(text)), jar);
            }
        }
    }

    private static boolean hasLicence(Path path) throws Exception {
        try (JarFile jar = new JarFile(path.toFile())) {
            return jar.stream().anyMatch(entry -> entry.getName().matches("(META-INF/)?LICENSE[^/]*"));
        }
    }
}
