package org.volley.host.wire;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.function.Consumer;

/** One of the two connections of JSON frames that may be written by many threads: control and call-back. */
final class Link {
    /** Frames that wait for the worker to read. Whoever adds to more waits: a plug-in that logs a lot must not fill the heap. */
    private static final int WAITING_FRAMES = 1024;

    private final String name;
    private final FrameChannel channel;
    private final Runnable ended;
    private final Handover<FrameWriter> waiting = new Handover<>(WAITING_FRAMES);
    private final Thread writer;

    Link(String name, FrameChannel channel, Runnable ended) {
        this.name = name;
        this.channel = channel;
        this.ended = ended;
        writer = daemon("writer", this::writeAll);
    }

    /** Gives each frame that arrives to {@code received}, from now on. */
    void read(Consumer<Frame> received) {
        daemon("reader", () -> readAll(received));
    }

    /** Sends it, waiting while too much is under way. */
    void send(int kind, ObjectNode body) {
        waiting.put(Json.frame(kind, body));
    }

    /** Sends it unless too much is under way. */
    void offer(int kind, ObjectNode body) {
        waiting.offer(Json.frame(kind, body));
    }

    /** Writes what waits, then no more. */
    void finish() {
        waiting.close();
        boolean interrupted = false;
        while (writer.isAlive()) {
            try {
                writer.join();
            } catch (InterruptedException again) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    static JsonNode body(Frame frame) {
        try {
            return Json.read(frame.rest());
        } catch (IOException error) {
            throw new IllegalStateException("The worker sent a frame of kind " + frame.kind() + " that is no JSON", error);
        }
    }

    private void readAll(Consumer<Frame> received) {
        Frame frame = new Frame();
        try {
            while (true) {
                channel.read(frame);
                received.accept(frame);
            }
        } catch (IOException gone) {
            ended.run();
        } catch (RuntimeException broken) {
            // The log goes the way that is broken.
            broken.printStackTrace();
            ended.run();
        }
    }

    private void writeAll() {
        try {
            for (FrameWriter frame = waiting.take(); frame != null; frame = waiting.take()) {
                channel.write(frame.frame());
            }
        } catch (IOException gone) {
            ended.run();
        } finally {
            waiting.close();
        }
    }

    private Thread daemon(String part, Runnable run) {
        Thread thread = new Thread(run, "volley-" + name + "-" + part);
        thread.setDaemon(true);
        thread.start();
        return thread;
    }
}
