package org.volley.host.wire;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import org.apache.kafka.common.utils.AppInfoParser;

/** Where the worker listens, and what each connection has to show. */
public record Endpoint(UnixDomainSocketAddress address, String token) {
    /** The protocol that this host speaks. */
    public static final int PROTOCOL = 1;

    /** The endpoint that the environment names. */
    public static Endpoint ofEnvironment() {
        return new Endpoint(UnixDomainSocketAddress.of(variable("VOLLEY_HOST_SOCKET")), variable("VOLLEY_HOST_TOKEN"));
    }

    FrameChannel control() throws IOException {
        ObjectNode hello = hello("control");
        hello.put("kafka", AppInfoParser.getVersion());
        hello.put("java", System.getProperty("java.version"));
        hello.put("pid", ProcessHandle.current().pid());
        return connect(hello);
    }

    FrameChannel callBack() throws IOException {
        return connect(hello("callback"));
    }

    FrameChannel lane(long number) throws IOException {
        return connect(hello("lane").put("lane", number));
    }

    /** Removes the socket and its directory: for a worker that was killed. */
    void remove() {
        try {
            Files.deleteIfExists(address.getPath());
            Files.deleteIfExists(address.getPath().getParent());
        } catch (IOException | RuntimeException remains) {
            // Somebody else has something in it, or has removed it.
        }
    }

    private FrameChannel connect(ObjectNode hello) throws IOException {
        FrameChannel channel = new FrameChannel(address);
        channel.write(Json.frame(Kind.HELLO, hello).frame());
        return channel;
    }

    private ObjectNode hello(String role) {
        return Json.object().put("protocol", PROTOCOL).put("token", token).put("role", role);
    }

    private static String variable(String name) {
        String value = System.getenv(name);
        if (value == null || value.isEmpty()) {
            throw new IllegalArgumentException("The variable " + name + " is not set. Volley starts this program and sets it");
        }
        return value;
    }
}
