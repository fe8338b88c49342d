package org.volley.host.wire;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * A frame, or a part of one, that is being written. It grows as needed and is used again and again: {@link #begin} starts a new frame.
 */
public final class FrameWriter {
    /** Length and kind. */
    private static final int HEAD = 5;
    private static final int SMALLEST = 1024;
    /** A larger buffer, left by one large record, is given back when the next frame begins. */
    private static final int LARGEST_KEPT = 4 << 20;

    private ByteBuffer bytes = allocate(SMALLEST);
    private int kind;

    /** Starts a frame of this kind. */
    public FrameWriter begin(int kind) {
        clear();
        this.kind = kind;
        bytes.position(HEAD);
        return this;
    }

    /** Empties it, to be a part of another frame. */
    public void clear() {
        if (bytes.capacity() > LARGEST_KEPT) {
            bytes = allocate(SMALLEST);
        }
        bytes.clear();
    }

    /** Bytes that were written. */
    public int size() {
        return bytes.position();
    }

    int kind() {
        return kind;
    }

    public void i32(int value) {
        room(4).putInt(value);
    }

    /** Writes over four bytes that were written before. */
    public void i32At(int position, int value) {
        bytes.putInt(position, value);
    }

    public void i64(long value) {
        room(8).putLong(value);
    }

    /** A text: length, UTF-8. */
    public void text(String value) {
        bytes(value.getBytes(StandardCharsets.UTF_8));
    }

    /** Bytes: length, -1 for null, and what is in them. */
    public void bytes(byte[] value) {
        if (value == null) {
            i32(-1);
            return;
        }
        i32(value.length);
        raw(value);
    }

    /** What is in the array, without a length. */
    public void raw(byte[] value) {
        room(value.length).put(value);
    }

    /** All that was written to another one that is a part. */
    public void part(FrameWriter part) {
        room(part.size()).put(part.bytes.array(), 0, part.size());
    }

    /** The whole frame, its length set. */
    ByteBuffer frame() {
        bytes.putInt(0, bytes.position() - 4);
        bytes.put(4, (byte) kind);
        return bytes.flip();
    }

    private ByteBuffer room(int more) {
        if (bytes.remaining() < more) {
            long needed = (long) bytes.position() + more;
            if (needed > Integer.MAX_VALUE - 8) {
                throw new IllegalStateException("A frame of " + needed + " bytes is larger than a frame may be");
            }
            long doubled = Math.min(2L * bytes.capacity(), Integer.MAX_VALUE - 8);
            bytes = allocate((int) Math.max(needed, doubled)).put(bytes.flip());
        }
        return bytes;
    }

    private static ByteBuffer allocate(int capacity) {
        return ByteBuffer.allocate(capacity).order(ByteOrder.LITTLE_ENDIAN);
    }
}
