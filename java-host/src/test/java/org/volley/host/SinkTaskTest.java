package org.volley.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What Connect promises a sink task. */
class SinkTaskTest {
    private static final Map<String, String> REPORTS = Map.of("errors.deadletterqueue.topic.name", "dead", "errors.tolerance", "all");

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
    void anEmptyPutReachesTheTask() {
        TaskScenario sink = TaskScenario.sink(worker, Map.of());
        sink.lane.done(23, new Wire.Body().i32(1).i32(0).bytes());
        worker.line("put []");
    }

    @Test
    void batchesOfSeveralPartitionsAreOnePut() {
        TaskScenario sink = TaskScenario.sink(worker, Map.of());
        Wire.Body body = new Wire.Body().i32(1).i32(2);
        body.text("t").i32(0).u8(2).i32(1).i64(40).i64(1000).text("k").text("describe").i32(0);
        body.text("u").i32(3).u8(0).i32(1).i64(50).i64(-1).text(null).text(null).i32(0);
        sink.lane.done(23, body.bytes());
        worker.line("put [describe, null]");
        worker.line("record t-0@40 LogAppendTime 1000 t");
    }

    @Test
    void recordsAreMadeWhileOthersArePutAndArePutWhenAskedFor() {
        TaskScenario sink = TaskScenario.sink(worker, TaskScenario.TWO_CHANGES);
        sink.prepareLane().done(27, Wire.numbered(1, Wire.put("t", 0, "a", "bad", "b")));
        sink.prepareLane().done(27, Wire.numbered(2, Wire.put("t", 0, "c")));
        assertEquals(List.of(), worker.lines("put"));
        JsonNode done = sink.lane.done(28, Wire.numbered(1, new byte[0]));
        assertEquals(1, done.path("rejected").path(0).path("row").asInt());
        sink.lane.done(28, Wire.numbered(2, new byte[0]));
        sink.lane.done(23, Wire.put("t", 0, "d"));
        assertEquals(List.of("put [a]", "put [c]", "put [d]"), worker.lines("put"));
    }

    @Test
    void whatWasPreparedAndIsNotPutIsForgotten() {
        TaskScenario sink = TaskScenario.sink(worker, Map.of());
        for (long number = 1; number <= 4; number++) {
            sink.prepareLane().done(27, Wire.numbered(number, Wire.put("t", 0, "n" + number)));
            if (number % 2 == 0) {
                sink.lane.done(28, Wire.numbered(number, new byte[0]));
            }
        }
        assertEquals(List.of("put [n2]", "put [n4]"), worker.lines("put"));
    }

    @Test
    void nothingWaitsForWhatIsPreparedAndNeverPut() {
        TaskScenario sink = TaskScenario.sink(worker, Map.of());
        for (long number = 1; number <= 5; number++) {
            sink.prepareLane().done(27, Wire.numbered(number, Wire.put("t", 0, "n" + number)));
        }
        sink.lane.done(23, Wire.put("t", 0, "a"));
        sink.lane.done(28, Wire.numbered(5, new byte[0]));
        assertEquals(List.of("put [a]", "put [n5]"), worker.lines("put"));
    }

    @Test
    void whatATaskAsksForIsNumberedInItsOrder() {
        TaskScenario sink = TaskScenario.sink(worker, Map.of());
        long first = sink.lane.done(23, Wire.put("t", 0, "pause")).path("requests").path("number").asLong();
        long second = sink.lane.done(23, Wire.put("t", 0, "thread")).path("requests").path("number").asLong();
        JsonNode outside = worker.notice("REQUESTS", each -> each.path("task").asText().equals(sink.task));
        assertTrue(0 < first && first < second && second < outside.path("requests").path("number").asLong(), outside::toString);
    }

    @Test
    void aPreparedListIsPutAgain() {
        TaskScenario sink = TaskScenario.sink(worker, Map.of());
        sink.prepareLane().done(27, Wire.numbered(1, Wire.put("t", 0, "x", "retriable")));
        assertEquals("retriable", sink.lane.failed(28, Wire.numbered(1, new byte[0])).path("error").path("kind").asText());
        sink.prepareLane().done(27, Wire.numbered(2, Wire.put("t", 0, "y")));
        sink.lane.done(24);
        sink.lane.done(28, Wire.numbered(2, new byte[0]));
        assertEquals(List.of("put [x, retriable]", "put [x, retriable]", "put [y]"), worker.lines("put"));
    }

    @Test
    void theSameListIsPutAgain() {
        TaskScenario sink = TaskScenario.sink(worker, Map.of());
        JsonNode failed = sink.lane.failed(23, Wire.put("t", 0, "x", "retriable"));
        assertEquals("retriable", failed.path("error").path("kind").asText());
        assertEquals(700, failed.path("requests").path("timeout").asInt());
        JsonNode done = sink.lane.done(24);
        assertTrue(done.path("requests").path("timeout").isNull());
        worker.line("same record true");
        assertEquals(List.of("put [x, retriable]", "put [x, retriable]"), worker.lines("put"));
        assertEquals(1, worker.lines("to value x").size());
    }

    @Test
    void aTaskThatPutsQuicklyPutsAgainAndAgainAndTheAnswerCounts() {
        TaskScenario sink = TaskScenario.sink(worker, TaskScenario.TWO_CHANGES);
        JsonNode done = sink.lane.done(23, Wire.puts(Wire.batch("t", 0, "a", "b"), Wire.batch("t", 0, "c"), Wire.batch("u", 1, "d")));
        int puts = done.path("put").asInt();
        for (int left = 3 - puts; left > 0; left -= sink.lane.done(24).path("put").asInt()) {
            assertTrue(puts > 0 && left < 3, done::toString);
        }
        assertEquals(List.of("put [a, b]", "put [c]", "put [d]"), worker.lines("put"));
    }

    @Test
    void behindAPutThatTookTimeOrAsksForSomethingComesNoOtherByItself() {
        TaskScenario sink = TaskScenario.sink(worker, Map.of());
        assertEquals(1, sink.lane.done(23, Wire.puts(Wire.batch("t", 0, "slow"), Wire.batch("t", 0, "pause"), Wire.batch("t", 0, "a")))
                .path("put").asInt());
        assertEquals(List.of("put [slow]"), worker.lines("put"));
        assertEquals(1, sink.lane.done(24).path("put").asInt());
        assertEquals(1, sink.lane.done(24).path("put").asInt());
        assertEquals(List.of("put [slow]", "put [pause]", "put [a]"), worker.lines("put"));
    }

    @Test
    void aPutThatFailsIsCountedNotAndPutAgainWithThoseBehindIt() {
        TaskScenario sink = TaskScenario.sink(worker, Map.of());
        JsonNode failed = sink.lane.failed(23, Wire.puts(Wire.batch("t", 0, "retriable", "x"), Wire.batch("t", 0, "y")));
        assertEquals(0, failed.path("put").asInt(-1));
        int puts = 0;
        while (puts < 2) {
            puts += sink.lane.done(24).path("put").asInt();
        }
        assertEquals(List.of("put [retriable, x]", "put [retriable, x]", "put [y]"), worker.lines("put"));
    }

    @Test
    void rejectedRowsOfSeveralPutsAreToldByTheirBatchesAndWithoutToleranceNoPutComesBehindTheFirst() {
        byte[] puts = Wire.puts(Wire.batch("t", 0, "a"), Wire.batch("t", 0, "b", "bad", "c"), Wire.batch("t", 0, "bad", "d"));
        TaskScenario tolerant = TaskScenario.sink(worker, with("errors.tolerance", "all"));
        JsonNode done = tolerant.lane.done(23, puts);
        assertEquals(List.of("1", "2"), List.of(done.at("/rejected/0/batch").asText(), done.at("/rejected/1/batch").asText()));
        for (int left = 3 - done.path("put").asInt(); left > 0; left -= tolerant.lane.done(24).path("put").asInt()) {
            assertTrue(left < 3);
        }
        assertEquals(List.of("put [a]", "put [b, c]", "put [d]"), worker.lines("put"));
        TaskScenario strict = TaskScenario.sink(worker, with());
        done = strict.lane.done(23, puts);
        assertEquals("1 1", done.at("/rejected/0/batch") + " " + done.at("/rejected/0/row"));
        if (done.path("put").asInt() < 2) {
            assertEquals(1, strict.lane.done(24).path("put").asInt());
        }
        assertEquals(List.of("put [a]", "put [b]"), worker.lines("put"));
        assertEquals("There is nothing to put again", strict.lane.failed(24, new byte[0]).path("error").path("message").asText());
    }

    @Test
    void aLargeRecordIsPutAndSmallOnesAfterIt() {
        TaskScenario sink = TaskScenario.sink(worker, Map.of("value.converter", "org.apache.kafka.connect.storage.StringConverter"));
        sink.lane.done(23, Wire.put("t", 0, "L".repeat(20_000_000)));
        sink.lane.done(23, Wire.put("t", 0, "a"));
        worker.line("put [a]");
    }

    @Test
    void droppedRecordsAreNotPutAgain() {
        TaskScenario sink = TaskScenario.sink(worker, Map.of());
        sink.lane.failed(23, Wire.put("t", 0, "retriable"));
        sink.lane.done(26);
        assertEquals("There is nothing to put again", sink.lane.failed(24, new byte[0]).path("error").path("message").asText());
        assertEquals(List.of("put [retriable]"), worker.lines("put"));
    }

    @Test
    void recordsOfAClosedPartitionAreNotPutAgain() {
        TaskScenario sink = TaskScenario.sink(worker, Map.of());
        Wire.Body body = new Wire.Body().i32(1).i32(2);
        body.text("t").i32(0).u8(1).i32(1).i64(0).i64(0).text(null).text("retriable").i32(0);
        body.text("t").i32(1).u8(1).i32(1).i64(0).i64(0).text(null).text("stays").i32(0);
        sink.lane.failed(23, body.bytes());
        sink.lane.done(22, "[{\"topic\":\"t\",\"partition\":0}]");
        worker.line("close [t-0] of [t-0]");
        sink.lane.done(24);
        worker.line("put [stays]");
    }

    @Test
    void anyOtherErrorOfPutIsFatal() {
        TaskScenario sink = TaskScenario.sink(worker, Map.of());
        assertEquals("fatal", sink.lane.failed(23, Wire.put("t", 0, "error")).path("error").path("kind").asText());
        assertEquals("fatal", sink.lane.failed(23, Wire.put("t", 0, "disconnected")).path("error").path("kind").asText());
    }

    @Test
    void theLastSeekAndTheNetEffectOfPausesAreTold() {
        TaskScenario sink = TaskScenario.sink(worker, Map.of());
        assertEquals("{\"number\":3,\"commit\":true,\"seeks\":[{\"topic\":\"t\",\"partition\":0,\"offset\":9}],"
                + "\"pauses\":[{\"topic\":\"t\",\"partition\":0,\"paused\":false}],\"timeout\":null}",
                sink.lane.done(23, Wire.put("t", 0, "seek", "pause")).path("requests").toString());
        assertEquals("{\"number\":4,\"commit\":false,\"seeks\":[],\"pauses\":[],\"timeout\":null}",
                sink.lane.done(23, Wire.put("t", 0, "a")).path("requests").toString());
    }

    @Test
    void aTaskThatLooksForTheConsumerFindsWhatTheWorkerKnows() {
        worker.onCallBack("COMMITTED", request -> {
            assertEquals("[{\"topic\":\"t\",\"partition\":0}]", request.path("partitions").toString());
            return ScriptedWorker.JSON.valueToTree(List.of(Map.of("topic", "t", "partition", 0, "offset", 6)));
        });
        worker.onCallBack("GROUP", request -> ScriptedWorker.object().put("group", "g of " + request.path("task").asText())
                .put("generation", 7).put("member", "m").put("instance", (String) null));
        TaskScenario sink = TaskScenario.sink(worker, Map.of());
        assertEquals("[{\"topic\":\"t\",\"partition\":0,\"offset\":6}]",
                sink.lane.done(23, Wire.put("t", 0, "consumer")).path("requests").path("seeks").toString());
        worker.line("group g of " + sink.task + " 7 m Optional.empty");
    }

    @Test
    void aTaskThatTheGroupHasLeftBehindDoesNotGetAMembersName() {
        worker.onCallBack("GROUP", request -> {
            throw new IllegalStateException("the group has gone on");
        });
        TaskScenario sink = TaskScenario.sink(worker, Map.of());
        JsonNode error = sink.lane.failed(23, Wire.put("t", 0, "consumer")).path("error");
        assertEquals("org.apache.kafka.common.KafkaException", error.path("class").asText());
        assertTrue(error.path("trace").asText().contains("the group has gone on"), error::toString);
    }

    @Test
    void onlyAssignedPartitionsCanBePaused() {
        TaskScenario sink = TaskScenario.sink(worker, Map.of());
        JsonNode error = sink.lane.failed(23, Wire.put("t", 0, "pause other")).path("error");
        assertEquals("org.apache.kafka.connect.errors.IllegalWorkerStateException", error.path("class").asText());
    }

    @Test
    void whatAThreadOfThePlugInAsksIsToldAtOnce() {
        TaskScenario sink = TaskScenario.sink(worker, Map.of());
        sink.lane.done(23, Wire.put("t", 0, "thread"));
        JsonNode notice = worker.notice("REQUESTS", each -> each.path("task").asText().equals(sink.task));
        assertEquals("[{\"topic\":\"t\",\"partition\":0,\"offset\":5}]", notice.path("requests").path("seeks").toString());
    }

    @Test
    void rejectedRowsAreToldAndTheOthersPut() {
        TaskScenario sink = TaskScenario.sink(worker, with("errors.tolerance", "all"));
        JsonNode rejected = sink.lane.done(23, Wire.put("t", 0, "a", "unreadable", "drop", "bad", "b")).path("rejected");
        worker.line("put [a, b]");
        assertEquals(2, rejected.size());
        assertEquals("0 1 VALUE_CONVERTER org.volley.plugins.TellingConverter data unreadable bytes", words(rejected.path(0)));
        assertEquals("0 3 TRANSFORMATION org.volley.plugins.Changes fatal bad value", words(rejected.path(1)));
    }

    @Test
    void withoutToleranceTheFirstRejectedRowEndsTheList() {
        TaskScenario sink = TaskScenario.sink(worker, with());
        JsonNode rejected = sink.lane.done(23, Wire.put("t", 0, "a", "bad", "unreadable", "b")).path("rejected");
        worker.line("put [a]");
        assertEquals(1, rejected.size());
        assertEquals(1, rejected.path(0).path("row").asInt());
    }

    @Test
    void aCancelledTaskEndsItsRetriesAndRejectsNothing() throws Exception {
        TaskScenario sink = TaskScenario.sink(worker, with("errors.retry.timeout", "-1", "errors.tolerance", "all"));
        sink.lane.write(23, Wire.put("t", 0, "flakier"));
        worker.line("first flakier");
        worker.call("TASK_CANCEL", "task", sink.task);
        JsonNode answer = sink.lane.read().json();
        assertEquals(0, answer.path("rejected").size());
        assertTrue(answer.path("error").path("message").asText().contains("was cancelled while"), answer::toString);
        assertEquals(List.of(), worker.lines("put"));
    }

    @Test
    void headersAreConvertedBehindKeyAndValue() {
        TaskScenario sink = TaskScenario.sink(worker, Map.of("header.converter", "org.apache.kafka.connect.storage.StringConverter"));
        sink.lane.done(23, new Wire.Body().i32(1).i32(1).text("t").i32(0).u8(1).i32(1).i64(0).i64(0).text("k").text("headers").i32(2)
                .text("a").text("1").text("b").text(null).bytes());
        worker.line("header a=1");
        worker.line("header b=null");
        assertEquals(List.of("to key k", "to value headers"), worker.lines("to "));
    }

    @Test
    void preCommitAnswersWhatTheTaskSaysWithItsMetadata() {
        TaskScenario sink = TaskScenario.sink(worker, Map.of());
        assertEquals("[{\"topic\":\"t\",\"partition\":0,\"offset\":1,\"metadata\":\"mark\"}]",
                sink.lane.done(25, "[{\"topic\":\"t\",\"partition\":0,\"offset\":4}]").path("offsets").toString());
        worker.line("preCommit 4");
        assertEquals("cannot say", sink.lane.failed(25, "[{\"topic\":\"t\",\"partition\":0,\"offset\":13}]".getBytes())
                .path("error").path("message").asText());
    }

    @Test
    void aTaskThatHasNothingToCommitSaysSo() {
        TaskScenario sink = TaskScenario.sink(worker, Map.of());
        JsonNode done = sink.lane.done(25, "[{\"topic\":\"t\",\"partition\":0,\"offset\":14}]");
        assertTrue(done.path("offsets").isArray() && done.path("offsets").isEmpty(), done::toString);
    }

    @Test
    void aReporterIsThereOnlyWhereReportsGoSomewhere() {
        TaskScenario.sink(worker, Map.of());
        worker.line("reporter none");
        TaskScenario.sink(worker, Map.of("errors.log.enable", "true"));
        worker.line("reporter some");
        TaskScenario.sink(worker, Map.of("errors.deadletterqueue.topic.name", "dead"));
        worker.line("reporter some");
    }

    @Test
    void aReportHasTheOriginalBytesAndEndsWithTheAnswer() {
        AtomicReference<JsonNode> report = new AtomicReference<>();
        CountDownLatch taken = new CountDownLatch(1);
        worker.onCallBack("ERRANT", request -> {
            report.set(request);
            org.junit.jupiter.api.Assertions.assertDoesNotThrow(() -> taken.await());
            return ScriptedWorker.object();
        });
        TaskScenario sink = TaskScenario.sink(worker, REPORTS);
        sink.lane.done(23, new Wire.Body().i32(1).i32(1).text("t").i32(0).u8(1).i32(1).i64(8).i64(99).text("k").text("report").i32(1)
                .text("h").text("1").bytes());
        worker.line("reported, done false");
        taken.countDown();
        worker.line("report taken");
        sink.lane.done(25, "[{\"topic\":\"t\",\"partition\":0,\"offset\":9}]");
        assertEquals("t 0 8 99 0 aw== cmVwb3J0 [[\"h\",\"MQ==\"]] org.apache.kafka.connect.sink.SinkTask bad record", report(report.get()));
    }

    @Test
    void aReportLongAfterThePutHasWhatWasConsumedWhateverTheChainMadeOfIt() {
        AtomicReference<JsonNode> report = new AtomicReference<>();
        worker.onCallBack("ERRANT", request -> {
            report.set(request);
            return ScriptedWorker.object();
        });
        TaskScenario sink = TaskScenario.sink(worker, with("errors.deadletterqueue.topic.name", "dead", "errors.tolerance", "all"));
        sink.lane.done(23, Wire.put("t", 0, "make it a report"));
        worker.line("report taken");
        assertEquals("t 0 0 bWFrZSBpdCBhIHJlcG9ydA==", placeAndValue(report.get()));
        sink.lane.done(23, Wire.put("t", 0, "keep"));
        sink.lane.done(25, "[{\"topic\":\"t\",\"partition\":0,\"offset\":1}]");
        worker.forgetLines();
        sink.lane.done(23, Wire.put("t", 0, "x", "report kept"));
        worker.line("report taken");
        assertEquals("t 0 0 a2VlcA==", placeAndValue(report.get()));
    }

    private static String placeAndValue(JsonNode report) {
        return report.path("topic").asText() + " " + report.path("partition") + " " + report.path("offset") + " " + report.path("value").asText();
    }

    @Test
    void eachRecordPassesTheWholeChainBeforeTheNextWithItsRetries() {
        TaskScenario sink = TaskScenario.sink(worker, with("errors.retry.timeout", "60000", "errors.retry.delay.max.ms", "1"));
        sink.lane.done(23, Wire.put("t", 0, "flaky", "a"));
        List<String> calls = worker.lines("").stream().filter(line -> line.matches("(to value|first|second|put) .*")).toList();
        assertEquals(List.of("to value flaky", "first flaky", "second flaky", "second flaky", "second flaky", "to value a", "first a", "second a",
                "put [flaky, a]"), calls);
    }

    @Test
    void converterSeesTheHeadersOfARecord() {
        TaskScenario sink = TaskScenario.sink(worker, Map.of());
        sink.lane.done(23, new Wire.Body().i32(1).i32(1).text("t").i32(0).u8(1).i32(1).i64(8).i64(99).text("k").text("v").i32(2)
                .text("id-of-key").text("5").text("id-of-value").text("6").bytes());
        worker.line("header for key 5");
        worker.line("header for value 6");
    }

    @Test
    void aRecordThatTheTaskMadeItselfIsConvertedBack() {
        AtomicReference<JsonNode> report = new AtomicReference<>();
        worker.onCallBack("ERRANT", request -> {
            report.set(request);
            return ScriptedWorker.object();
        });
        TaskScenario sink = TaskScenario.sink(worker, REPORTS);
        sink.lane.done(23, Wire.put("t", 0, "report own"));
        worker.line("report taken");
        assertEquals("t 0 77 12 0 b3duIGtleQ== b3duIHZhbHVl [] org.apache.kafka.connect.sink.SinkTask bad record", report(report.get()));
    }

    @Test
    void aReportThatIsNotTakenFailsTheCommit() {
        worker.onCallBack("ERRANT", request -> {
            throw new IllegalStateException("no room for dead letters");
        });
        TaskScenario sink = TaskScenario.sink(worker, REPORTS);
        sink.lane.done(23, Wire.put("t", 0, "report"));
        JsonNode error = sink.lane.failed(25, "[{\"topic\":\"t\",\"partition\":0,\"offset\":9}]".getBytes()).path("error");
        assertTrue(error.path("trace").asText().contains("no room for dead letters"), error::toString);
        assertEquals(List.of(), worker.lines("preCommit"));
    }

    @Test
    void aReportFailsTheTaskWhereNothingIsTolerated() {
        worker.onCallBack("ERRANT", request -> ScriptedWorker.object());
        TaskScenario sink = TaskScenario.sink(worker, Map.of("errors.deadletterqueue.topic.name", "dead"));
        JsonNode error = sink.lane.failed(23, Wire.put("t", 0, "report")).path("error");
        worker.line("not tolerated: Tolerance exceeded in error handler");
        assertEquals("Tolerance exceeded in error handler", error.path("message").asText());
    }

    @Test
    void aTaskThatInterruptsItselfKeepsItsLane() {
        TaskScenario sink = TaskScenario.sink(worker, Map.of());
        sink.lane.done(23, Wire.put("t", 0, "interrupt"));
        sink.lane.done(23, Wire.put("t", 0, "log"));
        JsonNode log = worker.notice("LOG", notice -> notice.path("logger").asText().equals("org.volley.plugins.ScriptedSink"));
        assertEquals("WARN a warning", log.path("level").asText() + " " + log.path("message").asText());
        assertTrue(log.path("trace").asText().startsWith("java.lang.IllegalStateException: its cause\n\tat org.volley.plugins"));
        assertEquals("[" + sink.task.replace("-0", "") + "|task-0] ", log.path("context").asText());
        assertFalse(log.path("trace").asText().endsWith("\n"));
    }

    private static String report(JsonNode request) {
        return request.path("topic").asText() + " " + request.path("partition") + " " + request.path("offset") + " "
                + request.path("timestamp") + " " + request.path("timestamp_type") + " " + request.path("key").asText() + " "
                + request.path("value").asText() + " " + request.path("headers") + " " + request.path("class").asText() + " "
                + request.path("error").path("message").asText();
    }

    private static String words(JsonNode rejected) {
        return rejected.path("batch") + " " + rejected.path("row") + " " + rejected.path("stage").asText() + " "
                + rejected.path("class").asText() + " " + rejected.path("error").path("kind").asText() + " "
                + rejected.path("error").path("message").asText();
    }

    private static Map<String, String> with(String... more) {
        Map<String, String> config = new java.util.HashMap<>(TaskScenario.TWO_CHANGES);
        for (int i = 0; i < more.length; i += 2) {
            config.put(more[i], more[i + 1]);
        }
        return config;
    }
}
