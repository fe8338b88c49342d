package org.volley.host.wire;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import org.apache.kafka.connect.errors.ConnectException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A connection for one task's calls, one at a time. Its socket belongs to a thread that no plug-in knows; the calls run on another one,
 * the plug-in's.
 */
public final class Lane {
    private static final Logger LOG = LoggerFactory.getLogger(Lane.class);
    /** One is written while the next is filled. */
    private static final int ANSWERS_UNDER_WAY = 2;

    /** What a task does when the worker calls. */
    public interface Calls {
        /** Answers a request. It ends with exactly one DONE or FAILED. */
        void answer(Frame request, Lane lane) throws Exception;
    }

    /** A frame whose content is looked at when it is written: what has come together by then. */
    public interface Late {
        /** The frame, which is written before this is called again. Null where there is nothing any more. */
        FrameWriter frame();
    }

    /** A frame of its own, or a late one. */
    private record Answer(FrameWriter ready, Late late) {
    }

    private final Endpoint endpoint;
    private final long number;
    private final String name;
    private final Handover<Object> opened = new Handover<>(1);
    private final Handover<Frame> requests = new Handover<>(1);
    private final Handover<Answer> answers = new Handover<>(ANSWERS_UNDER_WAY);
    private final Handover<FrameWriter> spare = new Handover<>(ANSWERS_UNDER_WAY);
    private volatile FrameChannel channel;

    /** @param name of the thread that the plug-in's calls run on */
    public Lane(Endpoint endpoint, long number, String name) {
        this.endpoint = endpoint;
        this.number = number;
        this.name = name;
        for (int i = 0; i < ANSWERS_UNDER_WAY; i++) {
            spare.put(new FrameWriter());
        }
    }

    /** Connects, and answers calls from then on. */
    public void open(Calls calls) {
        daemon("volley-lane-" + number, this::serve);
        if (opened.take() instanceof IOException error) {
            throw new ConnectException("Lane " + number + " cannot be opened: " + error.getMessage(), error);
        }
        daemon(name, () -> callAll(calls));
    }

    /** Ends the connection, whatever still runs. */
    public void close() {
        FrameChannel open = channel;
        if (open == null) {
            return;
        }
        try {
            open.close();
        } catch (IOException error) {
            LOG.debug("Lane {} could not be closed", number, error);
        }
    }

    /** A frame to answer with. It has to be sent, or given back. */
    public FrameWriter frame(int kind) {
        FrameWriter frame = spare.take();
        return (frame == null ? new FrameWriter() : frame).begin(kind);
    }

    public void send(FrameWriter frame) {
        answers.put(new Answer(frame, null));
    }

    public void send(Late late) {
        answers.put(new Answer(null, late));
    }

    public void giveBack(FrameWriter frame) {
        spare.put(frame);
    }

    public void send(int kind, ObjectNode body) {
        FrameWriter frame = frame(kind);
        frame.raw(Json.write(body));
        send(frame);
    }

    public void done() {
        send(Kind.DONE, Json.object());
    }

    private void serve() {
        try {
            channel = endpoint.lane(number);
        } catch (IOException error) {
            opened.put(error);
            return;
        }
        opened.put(this);
        try {
            Frame request = new Frame();
            while (true) {
                channel.read(request);
                requests.put(request);
                boolean ended = false;
                while (!ended) {
                    Answer answer = answers.take();
                    FrameWriter frame = answer.late() == null ? answer.ready() : answer.late().frame();
                    if (frame == null) {
                        continue;
                    }
                    ended = Kind.endsAnswer(frame.kind());
                    channel.write(frame.frame());
                    if (answer.late() == null) {
                        spare.put(frame);
                    }
                }
            }
        } catch (IOException gone) {
            LOG.debug("Lane {} ended", number, gone);
        } finally {
            requests.close();
            answers.close();
            spare.close();
        }
    }

    private void callAll(Calls calls) {
        for (Frame request = requests.take(); request != null; request = requests.take()) {
            try {
                calls.answer(request, this);
            } catch (Throwable error) {
                ObjectNode body = Json.object();
                body.set("error", Failure.of(error));
                send(Kind.FAILED, body);
            }
        }
    }

    private static void daemon(String name, Runnable run) {
        Thread thread = new Thread(run, name);
        thread.setDaemon(true);
        thread.start();
    }
}
