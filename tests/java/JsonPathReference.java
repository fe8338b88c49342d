import com.jayway.jsonpath.InvalidPathException;
import com.jayway.jsonpath.JsonPath;
import com.jayway.jsonpath.PathNotFoundException;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Asks Jayway's JsonPath what paths find in documents, and writes the answers down: the test data of
 * engine/transforms/src/confluent/json_path/testdata. Each line of standard input is a path, a tab, and a document as JSON; the third column
 * is replaced by the answer, and a fourth stays, which says why ours differs, where it does.
 *
 * <pre>
 *   java -cp "JARS/*" tests/java/JsonPathReference.java &lt; CASES &gt; /tmp/answers
 * </pre>
 *
 * The jars are json-path 2.9.0 and what it depends on; Maven's dependency:copy-dependencies fetches them.
 */
public class JsonPathReference {
    public static void main(String[] arguments) throws Exception {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        for (String line; (line = lines.readLine()) != null; ) {
            String[] parts = line.split("\t");
            String why = parts.length > 3 ? "\t" + parts[3] : "";
            out.println(parts[0] + "\t" + parts[1] + "\t" + answer(parts[0], parts[1]) + why);
        }
        out.flush();
    }

    private static String answer(String text, String json) {
        JsonPath path;
        try {
            path = JsonPath.compile(text);
        } catch (InvalidPathException e) {
            return "refused";
        }
        try {
            Object found = path.read(json);
            if (!path.isDefinite()) {
                return ((List<?>) found).isEmpty() ? "no match" : "something";
            }
            return found == null ? "missing" : "something";
        } catch (PathNotFoundException e) {
            return "missing";
        } catch (InvalidPathException e) {
            return "missing";
        }
    }
}
