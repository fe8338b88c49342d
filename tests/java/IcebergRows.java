import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.iceberg.Table;
import org.apache.iceberg.data.IcebergGenerics;
import org.apache.iceberg.data.Record;
import org.apache.iceberg.hadoop.HadoopTables;
import org.apache.iceberg.io.CloseableIterable;

/** Prints partition, number and count of each row of a table, by Iceberg's own reader: {@code IcebergRows DIRECTORY}. */
public final class IcebergRows {
    public static void main(String[] arguments) throws Exception {
        Table table = new HadoopTables(new Configuration()).load(arguments[0]);
        TreeMap<String, Integer> counts = new TreeMap<>();
        try (CloseableIterable<Record> rows = IcebergGenerics.read(table).select("p", "n").build()) {
            for (Record row : rows) {
                counts.merge(row.getField("p") + " " + row.getField("n"), 1, Integer::sum);
            }
        }
        counts.forEach((row, count) -> System.out.println(row + " " + count));
    }
}
