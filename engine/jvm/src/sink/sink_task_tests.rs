use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use arrow::array::BinaryArray;
use parking_lot::Mutex;
use serde_json::json;
use volley_api::{
    ConfigMap, Error, GroupMetadata, OffsetMetadata, OffsetRange, Offsets, Origin, OwnChain, RawBatch, RejectedRow,
    Result, SinkBatch, SinkContext, SinkGroup, SinkTask, Stage, TakeReport, TimestampType, TopicPartition,
};

use super::JavaSinkTask;
use crate::body::Body;
use crate::fake_host::{FakeHost, Reply, java, own_chain, usual, wait_until};
use crate::frames::{Frame, Kind, Outgoing};
use crate::java_error;

fn partition() -> TopicPartition {
    TopicPartition::new("t", 3)
}

fn batch(first: i64) -> SinkBatch {
    let origin = Origin {
        partition: partition(),
        range: OffsetRange { first, end: first + 2 },
        offsets: vec![first, first + 1].into(),
        timestamp_type: TimestampType::LogAppendTime,
        timestamps: vec![7, 8].into(),
    };
    let raw = RawBatch {
        origin: Arc::new(origin),
        keys: BinaryArray::from_iter([None, Some("k")]),
        values: BinaryArray::from_iter([Some("v"), None]),
        headers: None,
    };
    SinkBatch { raw: Arc::new(raw), records: Vec::new() }
}

fn context() -> SinkContext {
    SinkContext::new("c", 0).with_own_chain(own_chain())
}

fn start(host: &FakeHost, context: &SinkContext) -> JavaSinkTask {
    JavaSinkTask::start(&java(host, None), context.clone(), &ConfigMap::new()).unwrap()
}

fn host(on_frame: impl Fn(&Frame) -> Reply + Send + Sync + 'static) -> FakeHost {
    FakeHost::new(|call, _| usual(call), move |_, frame| on_frame(frame))
}

/// Of the main lane only.
fn frames(host: &FakeHost) -> Vec<String> {
    let is_of_lane = |name: &String| name.chars().any(char::is_lowercase) && name != "Prepare";
    host.has_received().into_iter().filter(is_of_lane).collect()
}

fn failed(kind: &Error, requests: serde_json::Value) -> Reply {
    let rejected =
        json!([{"batch": 0, "row": 1, "stage": "VALUE_CONVERTER", "class": "a.C", "error": java_error::to_json(kind)}]);
    let failed = json!({"error": java_error::to_json(kind), "requests": requests, "rejected": rejected});
    Reply::Frames(vec![Outgoing::json(Kind::Failed, &failed)])
}

#[test]
fn messages_are_put_as_they_were_consumed() {
    let body: Arc<Mutex<Vec<u8>>> = Arc::default();
    let received = Arc::clone(&body);
    let host = host(move |frame| {
        if frame.kind == Kind::Put {
            received.lock().extend(&frame.body);
        }
        Reply::Ok(json!({}))
    });
    let mut task = start(&host, &context());
    assert!(task.put(&batch(40)).unwrap().is_empty() && task.delivers_once());
    let body = body.lock().clone();
    let (head, rows) = body.split_at(18);
    let mut head = Body::new(head);
    assert_eq!((head.u32().unwrap(), head.u32().unwrap()), (1, 1), "one put of one batch");
    assert_eq!((head.text().unwrap(), head.i32().unwrap()), ("t", 3));
    assert_eq!(body[17], 2, "log append time");
    let mut body = Body::new(rows);
    assert_eq!(body.u32().unwrap(), 2);
    for (offset, timestamp, key, value) in [(40, 7, None, Some(b"v")), (41, 8, Some(b"k"), None)] {
        assert_eq!((body.i64().unwrap(), body.i64().unwrap()), (offset, timestamp));
        assert_eq!(
            (body.bytes().unwrap(), body.bytes().unwrap()),
            (key.map(<[u8; 1]>::as_slice), value.map(<[u8; 1]>::as_slice))
        );
        assert_eq!(body.u32().unwrap(), 0);
    }
    body.end().unwrap();
}

#[test]
fn batches_that_are_put_together_are_one_put_and_are_told_their_own_rejected_rows() {
    let puts = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&puts);
    let host = host(move |frame| match frame.kind {
        Kind::Put if counted.fetch_add(1, Ordering::SeqCst) == 0 => {
            let error = java_error::to_json(&Error::data("bad"));
            let row = |batch, row| json!({"batch": batch, "row": row, "stage": "VALUE_CONVERTER", "class": "a.C", "error": error});
            // one that is none is passed over
            let rejected = json!([row(1, 0), row(2, 1), row(1, 1), row(9, 0)]);
            let later = java_error::to_json(&Error::retriable("later"));
            let failed = json!({"error": later, "requests": {}, "rejected": rejected});
            Reply::Frames(vec![Outgoing::json(Kind::Failed, &failed)])
        }
        _ => Reply::Ok(json!({})),
    });
    let mut task = start(&host, &context());
    let batches = [batch(0), batch(2), batch(4)];
    assert!(task.put_together(&batches).unwrap_err().is_retriable());
    let rejected = task.put_together(&batches).unwrap();
    let rows: Vec<Vec<_>> = rejected.iter().map(|batch| batch.iter().map(|row| row.row).collect()).collect();
    assert_eq!(rows, [vec![], vec![0, 1], vec![1]]);
    assert!(task.put_together(&batches[..2]).unwrap().iter().all(Vec::is_empty));
    assert_eq!(frames(&host), ["Start", "Put", "PutAgain", "Put"]);
}

/// Of a task whose puts have one batch each.
fn context_of_small_puts() -> SinkContext {
    SinkContext::new("c", 0).with_own_chain(OwnChain { max_poll_records: 3, ..own_chain() })
}

fn failed_behind_one(error: &Error) -> Reply {
    let failed = json!({"error": java_error::to_json(error), "requests": {}, "rejected": [], "put": 1});
    Reply::Frames(vec![Outgoing::json(Kind::Failed, &failed)])
}

#[test]
fn of_several_puts_those_that_are_done_are_told_and_those_that_are_left_are_put_next() {
    let puts = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&puts);
    let host = host(move |frame| match frame.kind {
        Kind::Put => {
            counted.store(Body::new(&frame.body[..4]).u32().unwrap() as usize, Ordering::SeqCst);
            let error = java_error::to_json(&Error::data("bad"));
            let row = |batch, row| json!({"batch": batch, "row": row, "stage": "VALUE_CONVERTER", "class": "a.C", "error": error});
            Reply::Ok(json!({"put": 2, "rejected": [row(1, 0), row(3, 1)]}))
        }
        Kind::PutAgain => Reply::Ok(json!({"put": 1})),
        _ => Reply::Ok(json!({})),
    });
    let mut task = start(&host, &context_of_small_puts());
    let batches = [batch(0), batch(2), batch(4), batch(6)];
    let rows = |told: Vec<Vec<RejectedRow>>| -> Vec<Vec<usize>> {
        told.iter().map(|batch| batch.iter().map(|row| row.row).collect()).collect()
    };
    assert_eq!(rows(task.put_together(&batches).unwrap()), [vec![], vec![0]]);
    assert_eq!(puts.load(Ordering::SeqCst), 4);
    // what comes next is known meanwhile, and made ready once
    task.announce(&[batch(8)]);
    assert_eq!(rows(task.put_together(&batches[2..]).unwrap()), [vec![0; 0]]);
    assert_eq!(rows(task.put_together(&batches[3..]).unwrap()), [vec![1]], "told with the first answer, and kept");
    assert_eq!(frames(&host), ["Start", "Put", "PutAgain", "PutAgain"]);
    // it comes on another lane
    let prepared = || host.has_received().iter().filter(|name| *name == "Prepare").count();
    wait_until("it is made ready", || prepared() > 0);
    assert_eq!(prepared(), 1);
}

#[test]
fn a_put_that_fails_behind_others_fails_the_next_call_and_is_put_again_after_it() {
    let host = host(|frame| match frame.kind {
        Kind::Put => failed_behind_one(&Error::retriable("later")),
        _ => Reply::Ok(json!({})),
    });
    let context = context_of_small_puts();
    let mut task = start(&host, &context);
    let batches = [batch(0), batch(2), batch(4)];
    assert_eq!(task.put_together(&batches).unwrap().len(), 1);
    assert!(
        task.put_together(&batches[1..]).unwrap_err().is_retriable(),
        "so that the worker waits before the next try"
    );
    assert_eq!(frames(&host), ["Start", "Put"], "it is not put in between");
    assert_eq!(task.put_together(&batches[1..]).unwrap().len(), 2);
    // where something else comes, it is dropped with what was left
    assert_eq!(task.put_together(&batches).unwrap().len(), 1);
    assert_eq!(task.put_together(&[batch(6), batch(8)]).unwrap().len(), 1);
    assert_eq!(frames(&host), ["Start", "Put", "PutAgain", "Put", "Drop", "Put"]);
}

#[test]
fn a_final_failure_behind_other_puts_is_told_whatever_comes_next() {
    let host = host(|frame| match frame.kind {
        Kind::Put => failed_behind_one(&Error::fatal("disk full")),
        _ => Reply::Ok(json!({})),
    });
    let mut task = start(&host, &context_of_small_puts());
    assert_eq!(task.put_together(&[batch(0), batch(2)]).unwrap().len(), 1);
    let error = task.put(&batch(4)).unwrap_err();
    assert!(!error.is_retriable() && error.to_string().contains("disk full"), "{error:#}");
}

#[test]
fn what_is_withdrawn_is_dropped_and_the_task_is_called_soon_as_it_may_have_paused_itself() {
    let host = host(|frame| match frame.kind {
        Kind::Put if frame.body[..4] != [1, 0, 0, 0] => Reply::Ok(json!({"put": 1})),
        _ => Reply::Ok(json!({})),
    });
    let mut task = start(&host, &context_of_small_puts());
    assert_eq!(task.put_together(&[batch(0), batch(2)]).unwrap().len(), 1);
    task.tick().unwrap();
    assert_eq!(frames(&host), ["Start", "Put"], "not while something is left");
    task.withdrawn().unwrap();
    task.withdrawn().unwrap();
    task.tick().unwrap();
    task.tick().unwrap();
    task.put(&batch(2)).unwrap();
    assert_eq!(frames(&host), ["Start", "Put", "Drop", "Put", "Put"]);
}

#[test]
fn a_final_failure_of_what_is_withdrawn_is_told() {
    for (error, is_told) in [(Error::fatal("disk full"), true), (Error::retriable("later"), false)] {
        let host = host(move |frame| match frame.kind {
            Kind::Put => failed_behind_one(&error),
            _ => Reply::Ok(json!({})),
        });
        let mut task = start(&host, &context_of_small_puts());
        assert_eq!(task.put_together(&[batch(0), batch(2)]).unwrap().len(), 1);
        assert_eq!(task.withdrawn().is_err(), is_told);
    }
}

#[test]
fn a_host_that_counts_puts_that_cannot_be_is_of_no_use() {
    for answer in [json!({"put": 0}), json!({"put": 3}), json!({"put": u64::MAX})] {
        let told = answer.clone();
        let host = host(move |frame| Reply::Ok(if frame.kind == Kind::Put { told.clone() } else { json!({}) }));
        let mut task = start(&host, &context_of_small_puts());
        let error = task.put_together(&[batch(0), batch(2)]).unwrap_err();
        assert!(format!("{error:#}").contains("of 2 puts are done"), "{answer}: {error:#}");
    }
}

#[test]
fn a_batch_that_could_not_be_put_is_put_again_or_dropped_for_another() {
    let is_ready = Arc::new(AtomicBool::new(false));
    let ready = Arc::clone(&is_ready);
    let host = host(move |frame| match frame.kind {
        Kind::Put | Kind::PutAgain if !ready.load(Ordering::SeqCst) => {
            failed(&Error::retriable("later"), json!({"timeout": 50}))
        }
        _ => Reply::Ok(json!({})),
    });
    let context = context();
    let mut task = start(&host, &context);
    let first = batch(0);
    assert!(task.put(&first).unwrap_err().is_retriable());
    assert!(context.requests().take_timeout().is_some_and(|wait| wait <= Duration::from_millis(50)));
    is_ready.store(true, Ordering::SeqCst);
    let rejected = task.put(&first).unwrap();
    assert_eq!(
        (rejected.len(), rejected[0].row, rejected[0].stage),
        (1, 1, Stage::ValueConverter),
        "told with the first try"
    );
    is_ready.store(false, Ordering::SeqCst);
    assert!(task.put(&first).is_err());
    is_ready.store(true, Ordering::SeqCst);
    assert!(task.put(&batch(2)).unwrap().is_empty());
    assert_eq!(frames(&host), ["Start", "Put", "PutAgain", "Put", "Drop", "Put"]);
}

#[test]
fn what_is_announced_is_prepared_during_the_put_before_it_and_nothing_twice() {
    let numbers: Arc<Mutex<Vec<(Kind, u64)>>> = Arc::default();
    let received = Arc::clone(&numbers);
    let host = host(move |frame| {
        if matches!(frame.kind, Kind::Prepare | Kind::PutPrepared) {
            received.lock().push((frame.kind, Body::new(&frame.body[..8]).u64().unwrap()));
        }
        Reply::Ok(json!({}))
    });
    let mut task = start(&host, &context());
    let batches: Vec<_> = (0..5).map(|number| batch(2 * number)).collect();
    task.announce(&batches[1..2]);
    task.put(&batches[0]).unwrap();
    task.announce(&batches[2..3]);
    task.put(&batches[1]).unwrap();
    // another comes instead
    task.put(&batches[3]).unwrap();
    // what was announced comes without the one before it
    task.announce(&batches[4..5]);
    task.put(&batches[4]).unwrap();
    assert_eq!(frames(&host), ["Start", "PutPrepared", "PutPrepared", "Put", "Put"]);
    let of = |wanted| numbers.lock().iter().filter(|(kind, _)| *kind == wanted).map(|one| one.1).collect::<Vec<_>>();
    assert_eq!((of(Kind::Prepare), of(Kind::PutPrepared)), (vec![1, 2, 3], vec![1, 2]));
}

#[test]
fn without_a_wish_of_the_task_it_is_the_worker_s_to_say_when_the_next_try_comes() {
    let host = host(|frame| match frame.kind {
        Kind::Put => failed(&Error::retriable("later"), json!({})),
        _ => Reply::Ok(json!({})),
    });
    let context = context();
    assert!(start(&host, &context).put(&batch(0)).is_err());
    assert_eq!(context.requests().take_timeout(), None);
}

#[test]
fn nothing_is_put_before_each_commit_and_offsets_not_reached_are_ignored() {
    let answer = json!({"offsets": [{"topic": "t", "partition": 3, "offset": 2, "metadata": "m"}, {"topic": "u", "partition": 0, "offset": 9}]});
    let host = host(move |frame| Reply::Ok(if frame.kind == Kind::PreCommit { answer.clone() } else { json!({}) }));
    let mut task = start(&host, &context());
    let current = Offsets::from([(partition(), 2), (TopicPartition::new("u", 0), 8)]);
    task.open(&current).unwrap();
    assert_eq!(task.pre_commit(&current).unwrap(), Offsets::from([(partition(), 2)]));
    assert_eq!(task.offset_metadata(), OffsetMetadata::from([(partition(), "m".to_owned())]));
    assert!(task.offset_metadata().is_empty());
    task.put(&batch(2)).unwrap();
    task.pre_commit(&current).unwrap();
    task.close(&[partition()]).unwrap();
    task.stop();
    assert_eq!(frames(&host), ["Start", "Open", "Put", "PreCommit", "Put", "Put", "PreCommit", "Close", "Stop"]);
    assert!(host.has_received().contains(&"TASK_END".to_owned()));
}

#[test]
fn a_time_out_of_zero_is_none_and_one_that_another_thread_asks_for_counts() {
    let host = host(|_| Reply::Ok(json!({})));
    let mut task = start(&host, &context());
    task.requests.apply(&json!({"number": 1, "timeout": 0}), &context());
    task.tick().unwrap();
    assert_eq!(frames(&host), ["Start"]);
    task.requests.apply(&json!({"number": 2, "timeout": 1}), &context());
    wait_until("it is put", || {
        task.tick().unwrap();
        frames(&host) == ["Start", "Put"]
    });
}

#[test]
fn an_open_that_could_be_tried_again_is_not() {
    let host = host(|frame| match frame.kind {
        Kind::Open => failed(&Error::retriable("the table is locked"), json!({})),
        _ => Reply::Ok(json!({})),
    });
    let error = start(&host, &context()).open(&Offsets::new()).unwrap_err();
    assert!(!error.is_retriable() && format!("{error:#}").contains("the table is locked"), "{error:#}");
}

#[test]
fn a_task_without_partitions_is_asked_for_no_offsets_but_put_is_called() {
    let host = host(|_| Reply::Ok(json!({})));
    assert!(start(&host, &context()).pre_commit(&Offsets::new()).unwrap().is_empty());
    assert!(frames(&host).starts_with(&["Start".to_owned(), "Put".to_owned()]));
    assert!(!frames(&host).contains(&"PreCommit".to_owned()));
}

#[test]
fn after_a_pre_commit_that_failed_everything_is_read_again_from_what_is_committed() {
    let host = host(|frame| match frame.kind {
        Kind::PreCommit => Reply::Fails(Error::fatal("disk full")),
        _ => Reply::Ok(json!({})),
    });
    let context = context();
    let error = start(&host, &context).pre_commit(&Offsets::from([(partition(), 2)])).unwrap_err();
    assert!(error.is_retriable() && format!("{error:#}").contains("disk full"), "{error:#}");
    assert!(context.requests().take_seeks().0);
}

#[test]
fn what_the_task_asks_for_is_asked_of_the_worker_and_its_timeout_ends_with_a_put_of_nothing() {
    let requests = json!({
        "commit": true, "timeout": 1, "seeks": [{"topic": "t", "partition": 3, "offset": 9}],
        "pauses": [{"topic": "t", "partition": 3, "paused": true}],
    });
    let host = host(move |frame| match frame.kind {
        Kind::Open => Reply::Ok(json!({ "requests": requests })),
        _ => Reply::Ok(json!({})),
    });
    let context = context();
    let mut task = start(&host, &context);
    task.open(&Offsets::new()).unwrap();
    assert!(context.requests().take_commit());
    assert_eq!(context.requests().take_seeks().1[&partition()], 9);
    assert!(context.requests().take_pauses()[&partition()]);
    wait_until("it is put", || {
        task.tick().unwrap();
        frames(&host) == ["Start", "Open", "Put"]
    });
    task.tick().unwrap();
    assert_eq!(frames(&host), ["Start", "Open", "Put"], "once");
}

#[derive(Default)]
struct Reports(Mutex<Vec<String>>);

impl TakeReport for Reports {
    fn report(&self, batch: &Arc<RawBatch>, row: usize, class: &str, error: Error) -> Result<()> {
        let value = String::from_utf8_lossy(batch.values.value(row)).into_owned();
        self.0.lock().push(format!("{class} {value} {} {error}", batch.origin.offsets[row]));
        Ok(())
    }
}

#[test]
fn a_record_that_the_task_reports_becomes_a_dead_letter_at_once() {
    let host = host(|_| Reply::Ok(json!({})));
    let reports = Arc::new(Reports::default());
    let taken: Arc<dyn TakeReport> = Arc::<Reports>::clone(&reports);
    let _task = start(&host, &context().with_reports(taken));
    let answer = host.call_worker(json!({
        "call": "ERRANT", "task": "c-0", "topic": "t", "partition": 0, "offset": 5, "timestamp": -1, "timestamp_type": -1,
        "key": null, "value": "dg==", "headers": [], "class": "a.Sink", "error": java_error::to_json(&Error::data("bad")),
    }));
    assert_eq!(answer["ok"], json!({}));
    assert_eq!(*reports.0.lock(), ["a.Sink v 5 bad"]);
    let answer = host.call_worker(json!({"call": "CONFIGS", "task": "other-1"}));
    assert_eq!(answer["error"]["kind"], "fatal");
}

/// Its group has committed something in the first partition that is asked for, and goes on without the task after the first answer.
#[derive(Default)]
struct Group {
    is_over: AtomicBool,
}

impl SinkGroup for Group {
    fn committed(&self, partitions: &[TopicPartition]) -> Result<Offsets> {
        Ok(partitions.first().map(|partition| (partition.clone(), 7)).into_iter().collect())
    }

    fn metadata(&self) -> Result<GroupMetadata> {
        match self.is_over.swap(true, Ordering::SeqCst) {
            true => Err(Error::retriable("the group has gone on")),
            false => Ok(GroupMetadata {
                group_id: "g".to_owned(),
                generation: 3,
                member_id: "m".to_owned(),
                instance_id: None,
            }),
        }
    }
}

#[test]
fn a_task_is_told_what_its_group_has_committed_and_as_which_member_it_is_there() {
    let host = host(|_| Reply::Ok(json!({})));
    let _task = start(&host, &context().with_group(Arc::new(Group::default())));
    let answer = host.call_worker(json!({
        "call": "COMMITTED", "task": "c-0", "partitions": [{"topic": "t", "partition": 1}, {"topic": "t", "partition": 2}],
    }));
    assert_eq!(answer["ok"], json!([{"topic": "t", "partition": 1, "offset": 7}]));
    let ask = || host.call_worker(json!({"call": "GROUP", "task": "c-0"}));
    assert_eq!(ask()["ok"], json!({"group": "g", "generation": 3, "member": "m", "instance": null}));
    let refused = ask();
    assert_eq!(refused["error"]["kind"], "retriable");
    assert_eq!(refused["error"]["message"], "the group has gone on");
}

#[test]
fn each_time_that_a_task_asks_its_configuration_is_read_anew() {
    let host = host(|_| Reply::Ok(json!({})));
    let reads = Arc::new(Mutex::new(0));
    let context = context().with_configs(move || {
        *reads.lock() += 1;
        Ok(ConfigMap::from_iter([("password".to_owned(), format!("p{}", reads.lock()))]))
    });
    let _task = start(&host, &context);
    for password in ["p1", "p2"] {
        let answer = host.call_worker(json!({"call": "CONFIGS", "task": "c-0"}));
        assert_eq!(answer["ok"], json!({ "password": password }));
    }
}
