package org.volley.host.wire;

/** What a frame is: the numbers of PROTOCOL.md. */
public final class Kind {
    public static final int HELLO = 1;
    public static final int REQUEST = 2;
    public static final int ANSWER = 3;
    public static final int NOTICE = 4;
    public static final int START = 16;
    public static final int STOP = 17;
    public static final int POLL = 18;
    public static final int ACKED = 19;
    public static final int COMMIT = 20;
    public static final int OPEN = 21;
    public static final int CLOSE = 22;
    public static final int PUT = 23;
    public static final int PUT_AGAIN = 24;
    public static final int PRE_COMMIT = 25;
    public static final int DROP = 26;
    public static final int PREPARE = 27;
    public static final int PUT_PREPARED = 28;
    public static final int DONE = 32;
    public static final int FAILED = 33;
    public static final int MESSAGES = 34;

    private Kind() {
    }

    /** Whether a frame of this kind ends the answer to a lane's request. */
    static boolean endsAnswer(int kind) {
        return kind == DONE || kind == FAILED;
    }
}
