package org.volley.host.wire;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.errors.RetriableException;

/** The connection on which the host calls the worker, from any thread. */
public final class CallBacks {
    private final Link link;
    private final AtomicLong lastId = new AtomicLong();
    private final Map<Long, CompletableFuture<JsonNode>> open = new ConcurrentHashMap<>();

    public CallBacks(Endpoint endpoint) throws IOException {
        link = new Link("callback", endpoint.callBack(), this::ended);
        link.read(this::received);
    }

    /** Calls the worker. The future ends with the value of `ok`, or with a {@link ConnectException} that has the worker's words. */
    public CompletableFuture<JsonNode> call(String call, ObjectNode request) {
        long id = lastId.incrementAndGet();
        CompletableFuture<JsonNode> answer = new CompletableFuture<>();
        open.put(id, answer);
        request.put("id", id);
        request.put("call", call);
        link.send(Kind.REQUEST, request);
        return answer;
    }

    /** Tells the worker something that has to arrive. */
    public void tell(String notice, ObjectNode body) {
        link.send(Kind.NOTICE, body.put("notice", notice));
    }

    /** Tells the worker something that may be left out while the connection is full. */
    public void mention(String notice, ObjectNode body) {
        link.offer(Kind.NOTICE, body.put("notice", notice));
    }

    private void received(Frame frame) {
        if (frame.kind() != Kind.ANSWER) {
            throw new IllegalStateException("The worker sent a frame of kind " + frame.kind() + " on the call-back connection");
        }
        JsonNode answer = Link.body(frame);
        CompletableFuture<JsonNode> future = open.remove(answer.path("id").asLong());
        if (future == null) {
            return;
        }
        JsonNode error = answer.get("error");
        if (error == null || error.isNull()) {
            future.complete(answer.path("ok"));
        } else {
            future.completeExceptionally(refusal(error));
        }
    }

    private static ConnectException refusal(JsonNode error) {
        String message = error.path("message").asText("The worker refused without a reason");
        return error.path("kind").asText().equals("retriable") ? new RetriableException(message) : new ConnectException(message);
    }

    private void ended() {
        open.values().forEach(future -> future.completeExceptionally(new ConnectException("The worker closed the connection")));
    }
}
