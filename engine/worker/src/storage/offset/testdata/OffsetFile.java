import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;

/** Reads an offset file, prints how many entries it has, adds one entry and one tombstone, and writes it back. */
public class OffsetFile {
    public static void main(String[] args) throws Exception {
        HashMap<byte[], byte[]> offsets;
        try (ObjectInputStream in = new ObjectInputStream(new FileInputStream(args[0]))) {
            @SuppressWarnings("unchecked")
            HashMap<byte[], byte[]> read = (HashMap<byte[], byte[]>) in.readObject();
            offsets = read;
        }
        System.out.println(offsets.size());
        offsets.put(bytes("[\"theirs\",{\"filename\":\"b\"}]"), bytes("{\"position\":7}"));
        offsets.put(bytes("[\"theirs\",{\"filename\":\"gone\"}]"), null);
        try (ObjectOutputStream out = new ObjectOutputStream(new FileOutputStream(args[0]))) {
            out.writeObject(offsets);
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
