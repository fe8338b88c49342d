package org.volley.host.wire;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SocketChannel;

/**
 * A connection to the worker. Only threads that no plug-in knows may use it, as an interrupt closes the channel that a thread is reading
 * or writing.
 */
final class FrameChannel implements Closeable {
    /** What goes through the kernel at once. Larger pieces would leave buffers of their size outside of the heap. */
    private static final int SLICE = 64 << 10;

    private final SocketChannel channel;
    private final ByteBuffer in = ByteBuffer.allocateDirect(SLICE).order(ByteOrder.LITTLE_ENDIAN).flip();

    FrameChannel(UnixDomainSocketAddress address) throws IOException {
        channel = SocketChannel.open(address);
    }

    /** Reads the next frame. Throws {@link EOFException} where the connection ended. */
    void read(Frame frame) throws IOException {
        fill(5);
        int length = in.getInt();
        int kind = in.get() & 0xff;
        if (length < 1) {
            throw new IOException("A frame has a length of " + (length & 0xffffffffL));
        }
        ByteBuffer body = frame.receive(kind, length - 1);
        while (body.hasRemaining()) {
            fill(1);
            int some = Math.min(body.remaining(), in.remaining());
            body.put(body.position(), in, in.position(), some);
            body.position(body.position() + some);
            in.position(in.position() + some);
        }
        frame.received();
    }

    void write(ByteBuffer frame) throws IOException {
        int end = frame.limit();
        while (frame.position() < end) {
            frame.limit(Math.min(end, frame.position() + SLICE));
            channel.write(frame);
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }

    /** Reads until there are so many bytes. */
    private void fill(int wanted) throws IOException {
        if (in.remaining() >= wanted) {
            return;
        }
        in.compact();
        while (in.position() < wanted) {
            if (channel.read(in) < 0) {
                throw new EOFException("The worker closed the connection");
            }
        }
        in.flip();
    }
}
