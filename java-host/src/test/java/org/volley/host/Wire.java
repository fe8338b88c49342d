package org.volley.host;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** One connection as the worker sees it: frames in, frames out. Written from the page alone, without the host's own classes. */
final class Wire {
    /** A frame that was read. */
    record Read(int kind, ByteBuffer body) {
        JsonNode json() {
            try {
                return ScriptedWorker.JSON.readTree(body.array());
            } catch (IOException error) {
                throw new AssertionError(error);
            }
        }
    }

    /** A row of MESSAGES. */
    record Message(long sequence, String topic, int partition, long timestamp, String sourcePartition, String sourceOffset, String key,
            String value, List<String> headers) {
    }

    /** All that came to a POLL. */
    record Polled(List<Message> messages, int frames, Read last) {
    }

    final JsonNode hello;
    private final SocketChannel channel;
    private final DataInputStream in;

    Wire(SocketChannel channel) throws IOException {
        this.channel = channel;
        this.in = new DataInputStream(Channels.newInputStream(channel));
        this.hello = readJson(1);
    }

    Read read() throws IOException {
        int length = Integer.reverseBytes(in.readInt());
        int kind = in.readUnsignedByte();
        byte[] body = new byte[length - 1];
        in.readFully(body);
        return new Read(kind, ByteBuffer.wrap(body).order(ByteOrder.LITTLE_ENDIAN));
    }

    /** Reads a frame of this kind, 0 for any. */
    JsonNode readJson(int kind) throws IOException {
        Read frame = read();
        if (kind != 0 && frame.kind() != kind) {
            throw new AssertionError("a frame of kind " + frame.kind() + " and not " + kind);
        }
        return frame.json();
    }

    void writeJson(int kind, ObjectNode body) {
        write(kind, body.toString().getBytes(StandardCharsets.UTF_8));
    }

    synchronized void write(int kind, byte[] body) {
        ByteBuffer frame = ByteBuffer.allocate(5 + body.length).order(ByteOrder.LITTLE_ENDIAN);
        frame.putInt(1 + body.length).put((byte) kind).put(body).flip();
        try {
            while (frame.hasRemaining()) {
                channel.write(frame);
            }
        } catch (IOException error) {
            throw new AssertionError(error);
        }
    }

    void close() throws IOException {
        channel.close();
    }

    /** A lane's call that has to succeed. */
    JsonNode done(int kind, byte[] body) {
        Read answer = call(kind, body);
        if (answer.kind() != 32) {
            throw new AssertionError("not DONE: " + answer.json());
        }
        return answer.json();
    }

    JsonNode done(int kind) {
        return done(kind, new byte[0]);
    }

    JsonNode done(int kind, String json) {
        return done(kind, json.getBytes(StandardCharsets.UTF_8));
    }

    /** A lane's call that has to fail. */
    JsonNode failed(int kind, byte[] body) {
        Read answer = call(kind, body);
        if (answer.kind() != 33) {
            throw new AssertionError("not FAILED: " + answer.kind());
        }
        return answer.json();
    }

    Read call(int kind, byte[] body) {
        write(kind, body);
        try {
            return read();
        } catch (IOException error) {
            throw new AssertionError(error);
        }
    }

    /** The body of a PREPARE: a number before what a PUT has. */
    static byte[] numbered(long number, byte[] put) {
        return ByteBuffer.allocate(8 + put.length).order(ByteOrder.LITTLE_ENDIAN).putLong(number).put(put).array();
    }

    Polled poll() {
        write(18, new byte[0]);
        List<Message> messages = new ArrayList<>();
        int frames = 0;
        try {
            while (true) {
                Read frame = read();
                if (frame.kind() != 34) {
                    return new Polled(messages, frames, frame);
                }
                frames++;
                messages(frame.body(), messages);
            }
        } catch (IOException error) {
            throw new AssertionError(error);
        }
    }

    /** Polls again and again on a thread of its own, which tells of messages as they come. */
    Thread pollOnAndOn(Consumer<Message> each) {
        Thread thread = new Thread(() -> {
            try {
                while (true) {
                    write(18, new byte[0]);
                    for (Read frame = read(); frame.kind() == 34; frame = read()) {
                        List<Message> messages = new ArrayList<>();
                        messages(frame.body(), messages);
                        messages.forEach(each);
                    }
                }
            } catch (IOException over) {
                // the host has ended
            }
        });
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    /** Polls until there are so many messages; how many come together depends on the time that they take. */
    List<Message> messages(int wanted) {
        List<Message> messages = new ArrayList<>();
        while (messages.size() < wanted) {
            messages.addAll(poll().messages());
        }
        return messages;
    }

    private static void messages(ByteBuffer body, List<Message> into) {
        long sequence = body.getLong();
        String[] topics = new String[body.getInt()];
        for (int i = 0; i < topics.length; i++) {
            topics[i] = bytes(body);
        }
        String[][] pairs = new String[body.getInt()][];
        for (int i = 0; i < pairs.length; i++) {
            pairs[i] = new String[] {bytes(body), bytes(body)};
        }
        int rows = body.getInt();
        for (int row = 0; row < rows; row++) {
            String topic = topics[body.getInt()];
            int partition = body.getInt();
            long timestamp = body.getLong();
            String[] pair = pairs[body.getInt()];
            String key = bytes(body);
            String value = bytes(body);
            List<String> headers = new ArrayList<>();
            int count = body.getInt();
            for (int i = 0; i < count; i++) {
                headers.add(bytes(body) + "=" + bytes(body));
            }
            into.add(new Message(sequence + row, topic, partition, timestamp, pair[0], pair[1], key, value, headers));
        }
        if (body.hasRemaining()) {
            throw new AssertionError(body.remaining() + " bytes too many in MESSAGES");
        }
    }

    private static String bytes(ByteBuffer body) {
        int length = body.getInt();
        if (length == -1) {
            return null;
        }
        byte[] bytes = new byte[length];
        body.get(bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }

    /** Writes binary bodies. */
    static final class Body {
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

        Body u8(int value) {
            bytes.write(value);
            return this;
        }

        Body i32(int value) {
            return raw(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array());
        }

        Body i64(long value) {
            return raw(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array());
        }

        Body text(String value) {
            if (value == null) {
                return i32(-1);
            }
            byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
            return i32(utf8.length).raw(utf8);
        }

        Body raw(byte[] value) {
            bytes.writeBytes(value);
            return this;
        }

        byte[] bytes() {
            return bytes.toByteArray();
        }
    }

    /** The body of a PUT of one put of one batch: rows of offset from 0, without keys. */
    static byte[] put(String topic, int partition, String... values) {
        return puts(batch(topic, partition, values));
    }

    /** The body of a PUT of puts of one batch each. */
    static byte[] puts(byte[]... batches) {
        Body body = new Body().i32(batches.length);
        for (byte[] batch : batches) {
            body.i32(1).raw(batch);
        }
        return body.bytes();
    }

    static byte[] batch(String topic, int partition, String... values) {
        Body body = new Body().text(topic).i32(partition).u8(1).i32(values.length);
        for (int i = 0; i < values.length; i++) {
            body.i64(i).i64(1000 + i).text(null).text(values[i]).i32(0);
        }
        return body.bytes();
    }
}
