package org.volley.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What Connect promises a source task. */
class SourceTaskTest {
    @TempDir
    static Path directory;
    static ScriptedWorker worker;

    @BeforeAll
    static void start() throws Exception {
        worker = TaskScenario.worker(directory);
    }

    @AfterAll
    static void stop() throws Exception {
        worker.close();
    }

    @AfterEach
    void noCallRanWithTheWrongLoader() {
        assertEquals(List.of(), worker.lines("WRONG LOADER"));
    }

    @Test
    void commitRecordGetsWhatTheWorkerSays() {
        TaskScenario source = TaskScenario.source(worker, "a,b,c,d", Map.of());
        assertTrue(source.made.path("wants_acknowledgements").asBoolean());
        assertEquals(4, source.lane.poll().messages().size());
        Wire.Body acked = new Wire.Body().i32(3)
                .i64(2).i32(1).text("t").i32(5).i64(70).i64(9)
                .i64(0).i32(2).text("t").i32(4).i64(10).i64(-1)
                .i64(3).i32(-1);
        source.commitLane().done(19, acked.bytes());
        source.commitLane().done(20);
        worker.line("commit");
        assertEquals(List.of("commitRecord c t-5@70/9/5/1", "commitRecord a t-4@10/5/5/1", "commitRecord b t-4@11/5/5/1",
                "commitRecord d null"),
                worker.lines("commitRecord"));
    }

    @Test
    void aRowIsAcknowledgedOnce() {
        TaskScenario source = TaskScenario.source(worker, "a", Map.of());
        source.lane.poll();
        byte[] acked = new Wire.Body().i32(1).i64(0).i32(1).text("t").i32(0).i64(1).i64(-1).bytes();
        source.commitLane().done(19, acked);
        source.commitLane().done(19, acked);
        source.commitLane().done(20);
        worker.line("commit");
        assertEquals(1, worker.lines("commitRecord").size());
    }

    @Test
    void skippedRecordsAreCommittedWithNull() {
        TaskScenario source = TaskScenario.source(worker, "a,drop,bad,b", with("errors.tolerance", "all"));
        Wire.Polled polled = source.lane.poll();
        assertEquals(List.of("a", "b"), polled.messages().stream().map(Wire.Message::value).toList());
        assertEquals(List.of(0L, 1L), polled.messages().stream().map(Wire.Message::sequence).toList());
        assertEquals(2, polled.last().json().path("skipped").asInt());
        assertEquals(List.of("commitRecord drop null", "commitRecord bad null"), worker.lines("commitRecord"));
    }

    @Test
    void acknowledgementsArriveWhileAPollWaits() {
        TaskScenario source = TaskScenario.source(worker, "a|wait", Map.of());
        List<String> polled = new java.util.concurrent.CopyOnWriteArrayList<>();
        Thread reader = source.lane.pollOnAndOn(message -> polled.add(message.value()));
        worker.line("waiting");
        // what the poll before gave is not held back by the one that waits
        for (long end = System.nanoTime() + 60_000_000_000L; polled.isEmpty() && System.nanoTime() < end;) {
            Thread.onSpinWait();
        }
        assertEquals(List.of("a"), polled);
        assertTrue(reader.isAlive());
        source.commitLane().done(19, new Wire.Body().i32(1).i64(0).i32(1).text("t").i32(0).i64(1).i64(-1).bytes());
        source.commitLane().done(20);
        worker.line("commit");
    }

    @Test
    void smallPollsGoTogetherUntilOneGivesNothing() {
        boolean together = false;
        // where the machine has no time for the test, the moment that a POLL lasts is over before the third poll
        for (int i = 0; i < 50 && !together; i++) {
            TaskScenario source = TaskScenario.source(worker, "a|b,c|d", Map.of());
            List<Wire.Message> messages = new java.util.ArrayList<>(source.lane.poll().messages());
            together = messages.size() == 4;
            messages.addAll(source.lane.messages(4 - messages.size()));
            assertEquals(List.of("a", "b", "c", "d"), messages.stream().map(Wire.Message::value).toList());
            assertEquals(List.of(0L, 1L, 2L, 3L), messages.stream().map(Wire.Message::sequence).toList());
            assertEquals(0, source.lane.poll().messages().size());
        }
        assertTrue(together);
    }

    @Test
    void aPollIsATransaction() {
        TaskScenario source = TaskScenario.source(worker, "a|b,c|d", Map.of("transaction.boundary", "poll"), true);
        assertEquals(List.of(1, 2, 1), List.of(source.lane.poll().messages().size(), source.lane.poll().messages().size(),
                source.lane.poll().messages().size()));
    }

    @Test
    void whatCameBeforeAPollThatFailsIsSentFirst() {
        TaskScenario source = TaskScenario.source(worker, "a|error", Map.of());
        Wire.Polled polled = source.lane.poll();
        List<Wire.Message> messages = new java.util.ArrayList<>(polled.messages());
        // where the machine has no time for the test, the moment is over before the second poll
        while (polled.last().kind() == 32) {
            polled = source.lane.poll();
            messages.addAll(polled.messages());
        }
        assertEquals(33, polled.last().kind());
        assertEquals(List.of("a"), messages.stream().map(Wire.Message::value).toList());
    }

    @Test
    void aTaskIsStoppedBetweenPollsOnly() {
        TaskScenario source = TaskScenario.source(worker, "a", Map.of());
        source.lane.poll();
        source.lane.done(17);
        worker.line("stop");
        assertEquals(List.of("stop"), worker.lines("stop"));
        worker.call("TASK_END", "task", source.task);
        worker.line("close converter of value");
    }

    @Test
    void messagesAreWhatTheChainMade() {
        TaskScenario source = TaskScenario.source(worker, "a", Map.of());
        Wire.Message message = source.lane.poll().messages().get(0);
        assertEquals(new Wire.Message(0, "t", -1, 5, "{\"p\":1}", "{\"n\":0}", "key-a", "a",
                List.of("h=1", "id-of-key=7", "id-of-value=7")), message);
    }

    @Test
    void eachRecordPassesTheWholeChainBeforeTheNextWithItsRetries() {
        TaskScenario source = TaskScenario.source(worker, "flaky,a", with("errors.retry.timeout", "60000", "errors.retry.delay.max.ms", "1"));
        source.lane.poll();
        List<String> calls = worker.lines("").stream().filter(line -> line.matches("(first|second|from) .*")).toList();
        assertEquals(List.of("first flaky", "second flaky", "second flaky", "second flaky", "from key key-flaky", "from value flaky",
                "first a", "second a", "from key key-a", "from value a"), calls);
    }

    @Test
    void aCancelledTaskEndsItsRetriesAndSkipsNothing() throws Exception {
        TaskScenario source = TaskScenario.source(worker, "flakier", with("errors.retry.timeout", "-1", "errors.tolerance", "all"));
        source.lane.write(18, new byte[0]);
        worker.line("first flakier");
        worker.call("TASK_CANCEL", "task", source.task);
        Wire.Read answer = source.lane.read();
        assertEquals(33, answer.kind());
        assertTrue(answer.json().path("error").path("message").asText().contains("was cancelled while"), () -> answer.json().toString());
        assertEquals(List.of(), worker.lines("commitRecord"));
    }

    @Test
    void whatWasBeforeAnErrorIsSentFirst() {
        TaskScenario source = TaskScenario.source(worker, "a,bad,b", with());
        Wire.Polled polled = source.lane.poll();
        assertEquals(List.of("a"), polled.messages().stream().map(Wire.Message::value).toList());
        JsonNode error = polled.last().json().path("error");
        assertEquals(33, polled.last().kind());
        assertEquals("org.apache.kafka.connect.errors.ConnectException: Tolerance exceeded in error handler",
                error.path("class").asText() + ": " + error.path("message").asText());
        assertEquals("fatal", error.path("kind").asText());
        assertTrue(error.path("trace").asText().contains("Caused by: java.lang.IllegalArgumentException: bad value"));
    }

    @Test
    void toleratedErrorsAreLoggedAsKafkaDoes() {
        TaskScenario source = TaskScenario.source(worker, "bad", with("errors.tolerance", "all", "errors.log.enable", "true"));
        source.lane.poll();
        JsonNode log = worker.notice("LOG", notice -> notice.path("message").asText().startsWith("Error encountered in task " + source.task));
        assertEquals("ERROR", log.path("level").asText());
        assertEquals("[" + source.task.replace("-0", "") + "|task-0] ", log.path("context").asText());
    }

    @Test
    void aRetriablePollIsToldAsOne() {
        TaskScenario source = TaskScenario.source(worker, "retriable|error|null|empty|a", Map.of());
        assertEquals("{\"kind\":\"retriable\",\"class\":\"org.apache.kafka.connect.errors.RetriableException\",\"message\":\"later\"}",
                withoutTrace(source.lane.poll()));
        assertEquals("{\"kind\":\"fatal\",\"class\":\"java.lang.IllegalStateException\",\"message\":\"never\"}",
                withoutTrace(source.lane.poll()));
        String nothing = "{\"skipped\":0,\"end\":null,\"more\":false}";
        assertEquals(nothing, source.lane.poll().last().json().toString());
        assertEquals(nothing, source.lane.poll().last().json().toString());
        assertEquals(1, source.lane.poll().messages().size());
    }

    @Test
    void anIntegerComesBackAsALong() {
        worker.onCallBack("OFFSET_READ", request -> ScriptedWorker.JSON.valueToTree(List.of(Map.of("n", 3))));
        TaskScenario source = TaskScenario.source(worker, "offset", Map.of());
        source.lane.poll();
        worker.line("offset {n=3} of Long");
    }

    @Test
    void anyThreadOfAPlugInReadsOffsets() {
        worker.onCallBack("OFFSET_READ", request -> ScriptedWorker.JSON.valueToTree(List.of(Map.of("n", 3))));
        TaskScenario source = TaskScenario.source(worker, "offset outside", Map.of());
        source.lane.poll();
        worker.line("outside {n=3}");
    }

    @Test
    void aReadOfOffsetsEndsWhenTheTaskIsCancelled() throws Exception {
        java.util.concurrent.CountDownLatch asked = new java.util.concurrent.CountDownLatch(1);
        worker.onCallBack("OFFSET_READ", request -> {
            asked.countDown();
            org.junit.jupiter.api.Assertions.assertDoesNotThrow(() -> new java.util.concurrent.CountDownLatch(1).await());
            return null;
        });
        TaskScenario source = TaskScenario.source(worker, "offset", Map.of());
        source.lane.write(18, new byte[0]);
        asked.await();
        worker.call("TASK_CANCEL", "task", source.task);
        assertEquals(33, source.lane.read().kind());
    }

    @Test
    void configsAreResolvedAnew() {
        worker.onCallBack("CONFIGS", request -> ScriptedWorker.object("asked", request.path("task").asText()));
        TaskScenario source = TaskScenario.source(worker, "configs", Map.of());
        source.lane.poll();
        worker.line("configs {asked=" + source.task + "}");
    }

    @Test
    void onlyATaskThatSetsTheBoundariesHasATransactionContext() {
        TaskScenario.source(worker, "a", Map.of("transaction.boundary", "connector"), false);
        worker.line("transactions none");
        TaskScenario.source(worker, "a", Map.of("transaction.boundary", "poll"), true);
        worker.line("transactions none");
        TaskScenario.source(worker, "a", Map.of("transaction.boundary", "connector"), true);
        worker.line("transactions some");
    }

    @Test
    void transactionsEndWhereTheTaskWants() {
        TaskScenario source = TaskScenario.source(worker, "commit|middle|a", Map.of("transaction.boundary", "connector"), true);
        assertEquals("commit", source.lane.poll().last().json().path("end").asText());
        Wire.Polled first = source.lane.poll();
        assertEquals("m1 commit", first.messages().get(0).value() + " " + first.last().json().path("end").asText());
        Wire.Polled rest = source.lane.poll();
        assertEquals(List.of("m2", "m3"), rest.messages().stream().map(Wire.Message::value).toList());
        assertEquals("abort", rest.last().json().path("end").asText());
        assertTrue(source.lane.poll().last().json().path("end").isNull());
    }

    @Test
    void aTaskHearsOfSkippedRecordsWhenTheTransactionHasEnded() {
        TaskScenario source = TaskScenario.source(worker, "drop,a", TaskScenario.TWO_CHANGES, true);
        source.lane.poll();
        assertEquals(List.of(), worker.lines("commitRecord"));
        source.commitLane().done(20);
        assertEquals(List.of("commitRecord drop null", "commit"), worker.lines("commit"));
    }

    @Test
    void aLargePollComesInFramesOfAboutAMebibyte() {
        TaskScenario source = TaskScenario.source(worker, "many", Map.of("value.converter", "org.apache.kafka.connect.storage.StringConverter"));
        Wire.Polled polled = source.lane.poll();
        assertEquals(30_000, polled.messages().size());
        assertEquals(29_999, polled.messages().get(29_999).sequence());
        assertTrue(polled.frames() > 4 && polled.frames() < 20, () -> polled.frames() + " frames");
    }

    @Test
    void aLargeRecordPassesAndSmallOnesAfterIt() {
        TaskScenario source = TaskScenario.source(worker, "a,b|large|a", Map.of("value.converter",
                "org.apache.kafka.connect.storage.StringConverter"));
        List<Wire.Message> messages = source.lane.messages(4);
        assertEquals(20_000_000, messages.get(2).value().length());
        assertEquals("3 a", messages.get(3).sequence() + " " + messages.get(3).value());
    }

    @Test
    void anOffsetThatCannotBeStoredDeletesNoneThatIs() {
        // a partition with an offset of null has what is stored deleted
        TaskScenario source = TaskScenario.source(worker, "nested|a|nested|b|nested partition|none|delete", Map.of());
        List<Wire.Message> messages = source.lane.messages(7);
        assertEquals(List.of("null null", "{\"p\":1} {\"n\":0}", "{\"p\":1} {\"n\":0}", "{\"p\":1} {\"n\":1}", "null null", "null null",
                "{\"p\":1} null"), messages.stream().map(message -> message.sourcePartition() + " " + message.sourceOffset()).toList());
    }

    @Test
    void anErrorOfCommitRecordIsThatOfOneRecord() {
        TaskScenario source = TaskScenario.source(worker, "fatal commit|b", Map.of());
        source.lane.messages(2);
        source.commitLane().done(19, new Wire.Body().i32(1).i64(0).i32(2).text("t").i32(0).i64(5).i64(-1).bytes());
        assertEquals(1, worker.lines("commitRecord b").size());
    }

    @Test
    void aNullPartitionIsReadAsAnyOther() {
        worker.onCallBack("OFFSET_READ", request -> ScriptedWorker.JSON.valueToTree(List.of(Map.of("n", request.path("partitions").path(0).isNull() ? 3 : 4))));
        TaskScenario source = TaskScenario.source(worker, "offset of null", Map.of());
        source.lane.poll();
        worker.line("offset {n=3}");
    }

    @Test
    void aTaskThatInterruptsItselfKeepsItsLane() {
        TaskScenario source = TaskScenario.source(worker, "interrupt|null|a", Map.of());
        assertEquals(List.of("interrupted", "a"), source.lane.messages(2).stream().map(Wire.Message::value).toList());
    }

    private static String withoutTrace(Wire.Polled polled) {
        return ((com.fasterxml.jackson.databind.node.ObjectNode) polled.last().json().path("error")).without("trace").toString();
    }

    private static Map<String, String> with(String... more) {
        Map<String, String> config = new java.util.HashMap<>(TaskScenario.TWO_CHANGES);
        for (int i = 0; i < more.length; i += 2) {
            config.put(more[i], more[i + 1]);
        }
        return config;
    }
}
