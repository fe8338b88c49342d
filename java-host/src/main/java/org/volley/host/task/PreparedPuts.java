package org.volley.host.task;

import com.fasterxml.jackson.databind.node.ArrayNode;
import java.util.List;
import org.apache.kafka.connect.sink.SinkRecord;
import org.volley.host.wire.Handover;

/** Records that are ready before they are put, in order. */
final class PreparedPuts {
    /** The one that is put next, and the one behind it. */
    private static final int CAPACITY = 2;

    /**
     * What became of a PREPARE.
     *
     * @param puts the records of each put
     * @param rejected what failed in the chain
     * @param failure why there are none; null if there are
     */
    record Prepared(long number, List<List<SinkRecord>> puts, ArrayNode rejected, Throwable failure) {
    }

    private final Handover<Prepared> ready = new Handover<>(CAPACITY);

    /** Waits for room. */
    void put(Prepared prepared) {
        ready.put(prepared);
    }

    /** Waits for the one with this number. Those before it are not wanted any more. */
    Prepared take(long number) {
        Prepared prepared = ready.take();
        while (prepared != null && prepared.number() < number) {
            prepared = ready.take();
        }
        if (prepared == null || prepared.number() != number) {
            throw new IllegalStateException("Put " + number + " was not prepared");
        }
        return prepared;
    }

    void close() {
        ready.close();
    }
}
