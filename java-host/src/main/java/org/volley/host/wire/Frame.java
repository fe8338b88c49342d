package org.volley.host.wire;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** A frame that was read. It is used again for the next one of its connection: nothing keeps a reference into it. */
public final class Frame {
    private static final int SMALLEST = 1024;
    /** A larger buffer, left by one large batch, is given back when a small frame follows. */
    private static final int LARGEST_KEPT = 4 << 20;

    private ByteBuffer body = allocate(SMALLEST);
    private int kind;

    public int kind() {
        return kind;
    }

    public int u8() {
        return body.get() & 0xff;
    }

    public int i32() {
        return body.getInt();
    }

    public long i64() {
        return body.getLong();
    }

    /** A number of things that follow, each of at least one byte: one that cannot be is refused before anything is allocated for it. */
    public int count() throws IOException {
        int count = body.getInt();
        if (count < 0 || count > body.remaining()) {
            throw new IOException("A frame of kind " + kind + " announces " + (count & 0xffffffffL) + " things in "
                    + body.remaining() + " bytes");
        }
        return count;
    }

    public String text() throws IOException {
        int length = count();
        String text = new String(body.array(), body.position(), length, StandardCharsets.UTF_8);
        body.position(body.position() + length);
        return text;
    }

    /** Bytes, or null. */
    public byte[] bytes() throws IOException {
        if (body.getInt(body.position()) == -1) {
            body.position(body.position() + 4);
            return null;
        }
        byte[] bytes = new byte[count()];
        body.get(bytes);
        return bytes;
    }

    /** All that is left, as an array of its own. */
    public byte[] rest() {
        byte[] rest = new byte[body.remaining()];
        body.get(rest);
        return rest;
    }

    /** Room for a body of this many bytes, to be filled before the frame is read. */
    ByteBuffer receive(int kind, int length) {
        this.kind = kind;
        if (body.capacity() < length || body.capacity() > LARGEST_KEPT) {
            body = allocate(Math.max(length, SMALLEST));
        }
        return body.clear().limit(length);
    }

    /** Called when the body is filled. */
    void received() {
        body.flip();
    }

    private static ByteBuffer allocate(int capacity) {
        return ByteBuffer.allocate(capacity).order(ByteOrder.LITTLE_ENDIAN);
    }
}
