package org.volley.host;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.function.Predicate;

/** Plays the worker: starts a host as a process with the shipped jars, and talks to it over a Unix socket. */
final class ScriptedWorker implements AutoCloseable {
    static final ObjectMapper JSON = new ObjectMapper();
    private static final long DEADLINE_SECONDS = 60;
    private static final String TOKEN = "0123456789abcdef0123456789abcdef";

    final Process process;
    final JsonNode hello;
    private final Path directory;
    private final ServerSocketChannel listener;
    private final AtomicLong lastId = new AtomicLong();
    private final Map<Long, CompletableFuture<JsonNode>> open = new ConcurrentHashMap<>();
    private final Map<Long, CompletableFuture<Wire>> lanes = new ConcurrentHashMap<>();
    private final Map<String, CompletableFuture<Wire>> roles = new ConcurrentHashMap<>();
    private final Map<String, Function<JsonNode, JsonNode>> callBacks = new ConcurrentHashMap<>();
    private final List<JsonNode> notices = new ArrayList<>();
    private final List<String> lines = new ArrayList<>();
    private final Wire control;

    ScriptedWorker(String... jvmOptions) throws Exception {
        directory = Files.createTempDirectory("volley-host");
        UnixDomainSocketAddress address = UnixDomainSocketAddress.of(directory.resolve("s"));
        listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(address);
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx256m",
                "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"));
        command.addAll(Arrays.asList(jvmOptions));
        command.addAll(List.of("-cp", "target/classes" + File.pathSeparator + "target/volley-java/*", "org.volley.host.Main"));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("VOLLEY_HOST_SOCKET", address.getPath().toString());
        builder.environment().put("VOLLEY_HOST_TOKEN", TOKEN);
        process = builder.start();
        process.getOutputStream().close();
        daemon(this::readOutput);
        daemon(this::accept);
        control = await(role("control"));
        hello = control.hello;
        Wire callBack = await(role("callback"));
        daemon(() -> readControl());
        daemon(() -> readCallBacks(callBack));
    }

    /** The value of `ok`. Fails where the host answers an error. */
    JsonNode call(String call, Object... members) {
        return await(start(call, members));
    }

    /** The `error` that the host answers. */
    JsonNode refused(String call, Object... members) {
        try {
            start(call, members).get(DEADLINE_SECONDS, TimeUnit.SECONDS);
        } catch (java.util.concurrent.ExecutionException error) {
            return ((HostError) error.getCause()).error;
        } catch (Exception error) {
            throw new AssertionError(said("no answer to " + call), error);
        }
        throw new AssertionError(said(call + " was not refused"));
    }

    CompletableFuture<JsonNode> start(String call, Object... members) {
        long id = lastId.incrementAndGet();
        ObjectNode request = object(members).put("id", id).put("call", call);
        CompletableFuture<JsonNode> answer = new CompletableFuture<>();
        open.put(id, answer);
        control.writeJson(2, request);
        return answer;
    }

    /** From now on the worker answers such call-backs so. What the function throws becomes the error. */
    void onCallBack(String call, Function<JsonNode, JsonNode> answer) {
        callBacks.put(call, answer);
    }

    /** The lane that the host opened with this number. */
    Wire lane(long number) {
        return await(lanes.computeIfAbsent(number, any -> new CompletableFuture<>()));
    }

    /** Waits for a notice. */
    JsonNode notice(String name, Predicate<JsonNode> wanted) {
        return waitFor(notices, notice -> notice.path("notice").asText().equals(name) && wanted.test(notice), "notice " + name);
    }

    /** Waits for a line of output that is this. */
    String line(String line) {
        return waitFor(lines, line::equals, "line `" + line + "`");
    }

    /** All lines so far that begin so, in their order. The host has to know {@link TaskScenario#SOURCE}. */
    List<String> lines(String prefix) {
        awaitOutput();
        synchronized (lines) {
            return lines.stream().filter(line -> line.startsWith(prefix)).toList();
        }
    }

    void forgetLines() {
        awaitOutput();
        synchronized (lines) {
            lines.clear();
        }
    }

    /** Waits until all that the plug-ins said so far was read: the pipe of output is another one than the sockets. */
    private void awaitOutput() {
        String mark = "mark " + lastId.incrementAndGet();
        call("VALIDATE", "class", TaskScenario.SOURCE, "config", Map.of("script", mark));
        line("validate " + mark);
    }

    /** Waits for the end of the process. */
    int exitCode() throws InterruptedException {
        if (!process.waitFor(DEADLINE_SECONDS, TimeUnit.SECONDS)) {
            throw new AssertionError(said("the host still runs"));
        }
        return process.exitValue();
    }

    /** Where the socket is. */
    Path directory() {
        return directory;
    }

    /** Ends all that the worker holds, as if it had died. */
    void die() throws IOException {
        listener.close();
        control.close();
    }

    @Override
    public void close() throws Exception {
        process.destroyForcibly().waitFor();
        listener.close();
        Files.deleteIfExists(directory.resolve("s"));
        Files.deleteIfExists(directory);
    }

    static ObjectNode object(Object... members) {
        ObjectNode object = JSON.createObjectNode();
        for (int i = 0; i < members.length; i += 2) {
            object.set((String) members[i], JSON.valueToTree(members[i + 1]));
        }
        return object;
    }

    static void daemon(Runnable run) {
        Thread thread = new Thread(run);
        thread.setDaemon(true);
        thread.start();
    }

    <T> T await(CompletableFuture<T> future) {
        try {
            return future.get(DEADLINE_SECONDS, TimeUnit.SECONDS);
        } catch (Exception error) {
            throw new AssertionError(said("no answer: " + error), error);
        }
    }

    private <T> T waitFor(List<T> list, Predicate<T> wanted, String what) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE_SECONDS);
        synchronized (list) {
            while (true) {
                for (T each : list) {
                    if (wanted.test(each)) {
                        return each;
                    }
                }
                long left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
                if (left <= 0) {
                    throw new AssertionError(said("no " + what));
                }
                try {
                    list.wait(left);
                } catch (InterruptedException error) {
                    throw new AssertionError(error);
                }
            }
        }
    }

    private String said(String what) {
        synchronized (notices) {
            synchronized (lines) {
                return what + "\noutput:\n" + String.join("\n", lines) + "\nnotices:\n"
                        + String.join("\n", notices.stream().filter(notice -> !notice.path("notice").asText().equals("BEAT"))
                                .map(JsonNode::toString).toList());
            }
        }
    }

    private CompletableFuture<Wire> role(String role) {
        return roles.computeIfAbsent(role, any -> new CompletableFuture<>());
    }

    private void accept() {
        try {
            while (true) {
                SocketChannel channel = listener.accept();
                Wire wire = new Wire(channel);
                if (!wire.hello.path("token").asText().equals(TOKEN) || wire.hello.path("protocol").asInt() != 1) {
                    throw new AssertionError("a connection shows " + wire.hello);
                }
                String role = wire.hello.path("role").asText();
                if (role.equals("lane")) {
                    lanes.computeIfAbsent(wire.hello.path("lane").asLong(), any -> new CompletableFuture<>()).complete(wire);
                } else {
                    role(role).complete(wire);
                }
            }
        } catch (IOException closed) {
            return;
        }
    }

    private void readControl() {
        try {
            while (true) {
                JsonNode answer = control.readJson(3);
                CompletableFuture<JsonNode> future = open.remove(answer.path("id").asLong());
                if (answer.has("error")) {
                    future.completeExceptionally(new HostError(answer.path("error")));
                } else {
                    future.complete(answer.get("ok"));
                }
            }
        } catch (IOException ended) {
            open.values().forEach(future -> future.completeExceptionally(ended));
        }
    }

    private void readCallBacks(Wire wire) {
        try {
            while (true) {
                JsonNode frame = wire.readJson(0);
                if (frame.has("notice")) {
                    synchronized (notices) {
                        notices.add(frame);
                        notices.notifyAll();
                    }
                } else {
                    daemon(() -> answer(wire, frame));
                }
            }
        } catch (IOException ended) {
            return;
        }
    }

    private void answer(Wire wire, JsonNode request) {
        ObjectNode answer = object().set("id", request.path("id"));
        try {
            answer.set("ok", callBacks.get(request.path("call").asText()).apply(request));
        } catch (RuntimeException error) {
            answer.set("error", object("kind", "fatal", "class", "x", "message", error.getMessage(), "trace", ""));
        }
        wire.writeJson(3, answer);
    }

    private void readOutput() {
        try (BufferedReader reader = new BufferedReader(new InputStreamReader(process.getInputStream()))) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                synchronized (lines) {
                    lines.add(line);
                    lines.notifyAll();
                }
            }
        } catch (IOException ended) {
            return;
        }
    }

    /** An error that the host answered. */
    static final class HostError extends Exception {
        private static final long serialVersionUID = 1;
        final transient JsonNode error;

        HostError(JsonNode error) {
            super(error.toString());
            this.error = error;
        }
    }
}
