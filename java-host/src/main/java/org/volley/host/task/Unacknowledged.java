package org.volley.host.task;

import org.apache.kafka.connect.source.SourceRecord;

/** Records that were given to the worker, by their sequence, until it says what became of them. Any order of answers is taken. */
final class Unacknowledged {
    /** A record, and what its message has that Kafka tells of it. */
    record Given(SourceRecord record, long timestamp, int keySize, int valueSize) {
    }

    private static final int SMALLEST = 64;

    private Given[] ring = new Given[SMALLEST];
    /** The sequence of the oldest record that is still kept; all of the ring's places lie behind it. */
    private long first;
    private long next;

    /** Keeps the record of the next sequence. */
    synchronized void add(Given record) {
        if (next - first == ring.length) {
            grow();
        }
        ring[place(next)] = record;
        next++;
    }

    /** Gives up the record of this sequence. Null if there is none. */
    synchronized Given take(long sequence) {
        if (sequence < first || sequence >= next) {
            return null;
        }
        Given record = ring[place(sequence)];
        ring[place(sequence)] = null;
        while (first < next && ring[place(first)] == null) {
            first++;
        }
        return record;
    }

    private void grow() {
        Given[] larger = new Given[ring.length * 2];
        for (long sequence = first; sequence < next; sequence++) {
            larger[(int) (sequence % larger.length)] = ring[place(sequence)];
        }
        ring = larger;
    }

    private int place(long sequence) {
        return (int) (sequence % ring.length);
    }
}
