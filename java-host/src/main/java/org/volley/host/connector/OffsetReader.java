package org.volley.host.connector;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.util.RawValue;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.storage.OffsetStorageReader;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.volley.host.wire.CallBacks;
import org.volley.host.wire.Json;

/** Reads a source connector's offsets from the worker, for the connector and its tasks, from any thread. */
public final class OffsetReader implements OffsetStorageReader {
    private static final Logger LOG = LoggerFactory.getLogger(OffsetReader.class);

    private final CallBacks worker;
    private final String connector;
    private final Set<Future<?>> reading = ConcurrentHashMap.newKeySet();
    private volatile boolean closed;

    public OffsetReader(CallBacks worker, String connector) {
        this.worker = worker;
        this.connector = connector;
    }

    @Override
    public <T> Map<String, Object> offset(Map<String, T> partition) {
        return offsets(Collections.singletonList(partition)).get(partition);
    }

    @Override
    public <T> Map<Map<String, T>, Map<String, Object>> offsets(Collection<Map<String, T>> partitions) {
        List<Map<String, T>> asked = new ArrayList<>(partitions.size());
        ObjectNode request = Json.object().put("connector", connector);
        ArrayNode json = request.putArray("partitions");
        for (Map<String, T> partition : partitions) {
            try {
                byte[] written = OffsetJson.write(partition);
                json.addRawValue(new RawValue(written == null ? "null" : new String(written, StandardCharsets.UTF_8)));
                asked.add(partition);
            } catch (RuntimeException error) {
                LOG.error("The offset of a partition of {} cannot be read, as Connect does not take it for one; "
                        + "its task may skip data. Partitions are flat maps of plain values: {}", connector, partition, error);
            }
        }
        JsonNode offsets = call(request);
        Map<Map<String, T>, Map<String, Object>> answer = new HashMap<>();
        for (int i = 0; i < asked.size(); i++) {
            JsonNode offset = offsets.path(i);
            answer.put(asked.get(i), offset.isObject() ? OffsetJson.read(Json.write(offset)) : null);
        }
        return answer;
    }

    /** Ends all reads with an error, those under way too: whoever reads was given up. */
    public void close() {
        closed = true;
        reading.forEach(future -> future.cancel(true));
    }

    private JsonNode call(ObjectNode request) {
        if (closed) {
            throw gone();
        }
        Future<JsonNode> future = worker.call("OFFSET_READ", request);
        reading.add(future);
        try {
            if (closed) {
                throw gone();
            }
            return future.get();
        } catch (Exception error) {
            throw closed ? gone() : new ConnectException("Failed to fetch offsets.", error);
        } finally {
            reading.remove(future);
        }
    }

    private ConnectException gone() {
        return new ConnectException("Offsets of " + connector + " cannot be read any more: who reads them was stopped and took "
                + "longer for it than the worker waits");
    }
}
