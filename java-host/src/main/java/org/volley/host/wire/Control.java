package org.volley.host.wire;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The connection on which the worker calls the host. Each request runs on a thread of its own, so that one that hangs holds up no other.
 * When the connection ends the worker is gone, and this process with it.
 */
public final class Control {
    /** The code that the process exits with when the worker is gone. */
    private static final int WORKER_GONE = 70;

    /** What answers the worker's calls. */
    public interface Calls {
        /** The value of `ok`. Whatever it throws becomes the answer's `error`. */
        JsonNode answer(String call, JsonNode request) throws Exception;
    }

    private final Endpoint endpoint;
    private final FrameChannel channel;
    private Calls calls;
    private Link link;
    private final ExecutorService threads = Executors.newCachedThreadPool(new ControlThreads());

    /** Connects. */
    public Control(Endpoint endpoint) throws IOException {
        this.endpoint = endpoint;
        channel = endpoint.control();
    }

    /** Answers the worker's calls from now on. */
    public void serve(Calls calls) {
        this.calls = calls;
        this.link = new Link("control", channel, this::workerIsGone);
        link.read(this::received);
    }

    private void workerIsGone() {
        endpoint.remove();
        Runtime.getRuntime().halt(WORKER_GONE);
    }

    private void received(Frame frame) {
        if (frame.kind() != Kind.REQUEST) {
            throw new IllegalStateException("The worker sent a frame of kind " + frame.kind() + " on the control connection");
        }
        JsonNode request = Link.body(frame);
        threads.execute(() -> run(request));
    }

    private void run(JsonNode request) {
        Thread.interrupted();
        String call = request.path("call").asText();
        ObjectNode answer = Json.object();
        answer.set("id", request.path("id"));
        try {
            answer.set("ok", calls.answer(call, request));
        } catch (Throwable error) {
            answer.set("error", Failure.of(error));
        }
        link.send(Kind.ANSWER, answer);
        if (call.equals("EXIT")) {
            link.finish();
            System.exit(0);
        }
    }

    /** Threads of plug-ins' code that begin without a trace of what ran on them before. */
    private static final class ControlThreads implements java.util.concurrent.ThreadFactory {
        private final AtomicInteger number = new AtomicInteger();

        @Override
        public Thread newThread(Runnable runnable) {
            Thread thread = new Thread(runnable, "control-call-" + number.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        }
    }
}
