import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;

/** The record that the Java benches move, and their clock: payments as those of {@code benches/payment.rs}. */
final class Payments {
    static final int ROWS = 16_384;
    static final int ROUNDS = 60;
    static final String TOPIC = "payments";
    static final Schema SCHEMA = SchemaBuilder.struct()
        .field("id", Schema.OPTIONAL_INT64_SCHEMA).field("buyer", Schema.OPTIONAL_STRING_SCHEMA)
        .field("country", Schema.OPTIONAL_STRING_SCHEMA).field("amount", Schema.OPTIONAL_FLOAT64_SCHEMA)
        .field("ok", Schema.OPTIONAL_BOOLEAN_SCHEMA).field("ts", Schema.OPTIONAL_INT64_SCHEMA).build();

    private static final String[] COUNTRIES = {"DE", "FR", "IT", "ES", "PL", "NL", "SE", "AT"};

    private Payments() {
    }

    static Struct[] structs() {
        Struct[] payments = new Struct[ROWS];
        for (int i = 0; i < ROWS; i++) {
            payments[i] = new Struct(SCHEMA).put("id", 10_000_000L + i)
                .put("buyer", "b-" + (10_000_000 + i * 7919 % 1_000_000)).put("country", COUNTRIES[i % 8])
                .put("amount", 1000 + i % 9000 + 0.25).put("ok", i % 4 != 0).put("ts", 1_700_000_000_000L + i * 3);
        }
        return payments;
    }

    /** What is measured: one pass over all rows. The answer keeps the compiler from leaving anything out. */
    interface Pass {
        long run() throws Exception;
    }

    /** Runs {@code pass} until the virtual machine is warm, and prints its best of the last rounds. */
    static void measure(String what, Pass pass) throws Exception {
        double best = 0;
        long sum = 0;
        for (int round = 0; round < ROUNDS; round++) {
            long start = System.nanoTime();
            sum += pass.run();
            double rate = ROWS * 1e3 / (System.nanoTime() - start);
            best = round < ROUNDS - 10 ? 0 : Math.max(best, rate);
        }
        if (sum == 0) {
            throw new IllegalStateException();
        }
        System.out.printf("%-40s %6.2f million a second%n", what, best);
    }
}
