package org.volley.host.task;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;
import org.volley.host.wire.CallBacks;
import org.volley.host.wire.Json;

/**
 * What a sink task asks the worker for: told with the answer of the call it asks in, or at once where it asks outside of one. These go different
 * ways, so each has a number, by which the worker tells which is newer.
 */
final class SinkRequests {
    private final CallBacks worker;
    private final String task;
    private final Map<TopicPartition, Long> seeks = new LinkedHashMap<>();
    private final Map<TopicPartition, Boolean> pauses = new LinkedHashMap<>();
    private boolean commit;
    private Long timeout;
    private boolean inCall;
    private long number;

    SinkRequests(CallBacks worker, String task) {
        this.worker = worker;
        this.task = task;
    }

    synchronized void begin() {
        inCall = true;
    }

    /** What was asked for since the call began. */
    synchronized ObjectNode end() {
        inCall = false;
        return take();
    }

    synchronized boolean isEmpty() {
        return !commit && timeout == null && seeks.isEmpty() && pauses.isEmpty();
    }

    synchronized void seek(Map<TopicPartition, Long> offsets) {
        seeks.putAll(offsets);
        tell();
    }

    synchronized void pause(boolean paused, TopicPartition... partitions) {
        for (TopicPartition partition : partitions) {
            pauses.put(partition, paused);
        }
        tell();
    }

    synchronized void commit() {
        commit = true;
        tell();
    }

    synchronized void timeout(long millis) {
        timeout = millis;
        tell();
    }

    private void tell() {
        if (!inCall) {
            worker.tell("REQUESTS", Json.object().put("task", task).set("requests", take()));
        }
    }

    private ObjectNode take() {
        ObjectNode requests = Json.object().put("number", ++number).put("commit", commit);
        ArrayNode seekList = requests.putArray("seeks");
        seeks.forEach((partition, offset) -> Partitions.add(seekList, partition).put("offset", offset));
        ArrayNode pauseList = requests.putArray("pauses");
        pauses.forEach((partition, paused) -> Partitions.add(pauseList, partition).put("paused", paused));
        requests.put("timeout", timeout);
        seeks.clear();
        pauses.clear();
        commit = false;
        timeout = null;
        return requests;
    }
}
