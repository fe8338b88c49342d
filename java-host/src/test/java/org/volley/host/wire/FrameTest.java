package org.volley.host.wire;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

/** Frames, alone. */
class FrameTest {
    @Test
    void whatIsWrittenIsRead() throws IOException {
        FrameWriter writer = new FrameWriter();
        writer.begin(Kind.PUT);
        writer.raw(new byte[] {(byte) 200});
        writer.i32(-2);
        writer.i64(Long.MIN_VALUE);
        writer.text("Übung");
        writer.bytes(null);
        writer.bytes(new byte[] {1, 2});
        Frame frame = frame(writer);
        assertEquals(Kind.PUT, frame.kind());
        assertEquals(200, frame.u8());
        assertEquals(-2, frame.i32());
        assertEquals(Long.MIN_VALUE, frame.i64());
        assertEquals("Übung", frame.text());
        assertNull(frame.bytes());
        assertArrayEquals(new byte[] {1, 2}, frame.bytes());
        assertEquals(0, frame.rest().length);
    }

    @Test
    void aWriterGrowsAndIsUsedAgain() {
        FrameWriter writer = new FrameWriter();
        writer.begin(Kind.MESSAGES).raw(new byte[10_000_000]);
        assertEquals(10_000_005, writer.frame().remaining());
        writer.begin(Kind.DONE);
        assertEquals(5, writer.frame().remaining());
    }

    @Test
    void lengthsThatCannotBeAreRefusedBeforeAnythingIsAllocated() {
        FrameWriter writer = new FrameWriter();
        writer.begin(Kind.PUT).i32(Integer.MAX_VALUE);
        assertThrows(IOException.class, () -> frame(writer).text());
        writer.begin(Kind.PUT).i32(-2);
        assertThrows(IOException.class, () -> frame(writer).bytes());
        writer.begin(Kind.PUT).raw(new byte[1]);
        assertThrows(BufferUnderflowException.class, () -> frame(writer).i32());
    }

    @Test
    void anInterruptLosesNothingThatIsHandedOver() throws InterruptedException {
        Handover<String> handover = new Handover<>(1);
        Thread giver = new Thread(() -> {
            Thread.currentThread().interrupt();
            handover.put("a");
            handover.put("b");
            handover.put(String.valueOf(Thread.currentThread().isInterrupted()));
        });
        giver.start();
        assertEquals("a", handover.take());
        assertEquals("b", handover.take());
        assertEquals("true", handover.take());
        giver.join();
    }

    private static Frame frame(FrameWriter writer) {
        ByteBuffer bytes = writer.frame();
        int length = bytes.order(java.nio.ByteOrder.LITTLE_ENDIAN).getInt();
        Frame frame = new Frame();
        frame.receive(bytes.get(), length - 1).put(bytes);
        frame.received();
        return frame;
    }
}
