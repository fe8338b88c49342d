use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use arrow::array::{Array, BinaryArray};
use parking_lot::{Condvar, Mutex};
use proptest::prelude::*;
use serde_json::json;
use volley_api::{
    AcknowledgedBatch, AcknowledgedRow, ConfigMap, Error, OwnChain, Polled, SourceBatch, SourceContext, SourceTask,
    TopicPartition, Value,
};

use super::JavaSourceTask;
use super::polled_messages::{NumberedBatch, PolledMessages};
use crate::body::Body;
use crate::fake_host::{FakeHost, Reply, java, own_chain, usual, wait_until};
use crate::frames::{Frame, Kind, Outgoing};

/// A MESSAGES frame of rows of topics a and b, whose source partition has the row's number as its offset.
fn messages(first: u64, topics: &[u32]) -> Outgoing {
    rows(first, &topics.iter().map(|topic| (*topic, -1, 1)).collect::<Vec<_>>())
}

/// A MESSAGES frame of rows: topic, wanted partition, source partition.
fn rows(first: u64, rows: &[(u32, i32, u32)]) -> Outgoing {
    let mut frame = Outgoing::new(Kind::Messages);
    frame.u64(first);
    frame.count(2);
    frame.text("a");
    frame.text("b");
    frame.count(rows.len());
    for (row, (_, _, source)) in rows.iter().enumerate() {
        frame.bytes(Some(format!(r#"{{"p":{source}}}"#).as_bytes()));
        frame.bytes(Some(format!(r#"{{"at":{}}}"#, first + row as u64).as_bytes()));
    }
    frame.count(rows.len());
    for (row, (topic, wanted, _)) in rows.iter().enumerate() {
        frame.u32(*topic);
        frame.i32(*wanted);
        frame.i64(5);
        frame.u32(row as u32);
        frame.bytes(None);
        frame.bytes(Some(&[row as u8]));
        frame.count(1);
        frame.text("h");
        frame.bytes(None);
    }
    frame
}

fn done() -> Outgoing {
    Outgoing::json(Kind::Done, &json!({}))
}

fn start(host: &FakeHost) -> JavaSourceTask {
    start_as(host, false)
}

fn start_as(host: &FakeHost, exactly_once: bool) -> JavaSourceTask {
    let context = SourceContext::new("c", 0).with_own_chain(OwnChain { exactly_once, ..own_chain() });
    JavaSourceTask::start(&java(host, None), context, &ConfigMap::new()).unwrap()
}

fn batches(polled: Polled) -> Vec<SourceBatch> {
    match polled {
        Polled::Batches(batches) => batches,
        other => panic!("{other:?}"),
    }
}

#[test]
fn interleaved_topics_of_a_poll_make_one_batch_each_and_none_vouches_for_rows_of_a_later_one() {
    let on_frame = |_: &str, frame: &Frame| match frame.kind {
        Kind::Poll => Reply::Frames(vec![messages(0, &[0, 0, 1]), messages(3, &[0, 1, 0]), done()]),
        _ => Reply::Ok(json!({})),
    };
    // in transactions, a POLL is one batch of the worker's, however its frames arrive
    let mut task = start_as(&FakeHost::new(|call, _| usual(call), on_frame), true);
    let batches = batches(task.poll(Duration::ZERO).unwrap());
    let summary: Vec<_> =
        batches.iter().map(|batch| (&*batch.records.topic, batch.records.len(), batch.offset["at"].as_u64())).collect();
    // rows 2 and 4 are in the second batch: the first may vouch for rows 0 and 1 only
    assert_eq!(summary, [("a", 4, Some(1)), ("b", 2, Some(5))]);
    let records = &batches[0].records;
    assert_eq!((records.timestamps[0], records.kafka_partition), (5, None));
    assert_eq!(records.headers.as_ref().unwrap()[0][0].value, Value::Null);
    let values = records.value.array.as_any().downcast_ref::<BinaryArray>().unwrap();
    assert_eq!((values.value(1), records.key.array.null_count()), ([1].as_slice(), 4));
}

#[test]
fn acknowledgements_reach_the_task_in_runs_before_the_commit() {
    let polls = AtomicUsize::new(0);
    let acked: Arc<Mutex<Vec<u8>>> = Arc::default();
    let received = Arc::clone(&acked);
    let host = FakeHost::new(
        |call, _| usual(call),
        move |_, frame| match frame.kind {
            Kind::Poll if polls.fetch_add(1, Ordering::SeqCst) == 0 => {
                Reply::Frames(vec![messages(10, &[0, 0, 0]), done()])
            }
            Kind::Acked => {
                received.lock().extend(&frame.body);
                Reply::Ok(json!({}))
            }
            _ => Reply::Ok(json!({})),
        },
    );
    let mut task = start(&host);
    let mut listener = task.delivery_listener().unwrap();
    assert!(listener.wants_acknowledgements() && task.delivery_listener().is_none());
    let batch = batches(task.poll(Duration::ZERO).unwrap()).remove(0);
    while task.is_polling() {
        assert!(matches!(task.poll(Duration::ZERO).unwrap(), Polled::Idle));
    }
    let row = |row, offset| AcknowledgedRow { row, partition: TopicPartition::new("a", 0), offset };
    let rows = vec![row(0, 100), row(1, 101)]; // the third was dropped
    let batch = AcknowledgedBatch { partition: batch.partition, offset: batch.offset, rows };
    listener.acknowledged(&[batch]).unwrap();
    listener.commit(&[]).unwrap();
    assert!(matches!(task.poll(Duration::ZERO).unwrap(), Polled::Idle));
    task.stop();
    let lane: Vec<_> = host.has_received().into_iter().filter(|name| name.chars().any(char::is_lowercase)).collect();
    assert_eq!(lane, ["Start", "Poll", "Acked", "Commit", "Poll", "Stop"]);
    let acked = acked.lock().clone();
    let mut body = Body::new(&acked);
    assert_eq!(body.count(12).unwrap(), 2);
    assert_eq!((body.u64().unwrap(), body.u32().unwrap()), (10, 2));
    assert_eq!(
        (body.text().unwrap(), body.i32().unwrap(), body.i64().unwrap(), body.i64().unwrap()),
        ("a", 0, 100, -1)
    );
    assert_eq!((body.u64().unwrap(), body.u32().unwrap()), (12, u32::MAX));
    body.end().unwrap();
}

#[test]
fn a_task_is_told_of_deliveries_while_it_polls() {
    let told: Arc<(Mutex<bool>, Condvar)> = Arc::default();
    let teller = Arc::clone(&told);
    let host = FakeHost::new(
        |call, _| usual(call),
        move |_, frame| match frame.kind {
            Kind::Poll => {
                let mut is_told = teller.0.lock();
                while !*is_told {
                    teller.1.wait(&mut is_told);
                }
                Reply::Ok(json!({}))
            }
            Kind::Commit => {
                *teller.0.lock() = true;
                teller.1.notify_all();
                Reply::Ok(json!({}))
            }
            _ => Reply::Ok(json!({})),
        },
    );
    let mut task = start(&host);
    let mut listener = task.delivery_listener().unwrap();
    let polling = std::thread::spawn(move || task.poll(Duration::ZERO).map(|polled| matches!(polled, Polled::Idle)));
    wait_until("it polls", || host.has_received().iter().any(|name| name == "Poll"));
    listener.commit(&[]).unwrap();
    assert!(polling.join().unwrap().unwrap());
}

#[test]
fn a_listener_of_a_task_whose_host_is_gone_says_why() {
    let host = FakeHost::new(
        |call, _| usual(call),
        |_, frame| match frame.kind {
            Kind::Commit => Reply::Dies,
            _ => Reply::Ok(json!({})),
        },
    );
    let mut task = start(&host);
    let mut listener = task.delivery_listener().unwrap();
    for _ in 0..2 {
        let error = listener.commit(&[]).unwrap_err();
        assert!(error.to_string().contains("heap is exhausted"), "{error}");
    }
    task.stop();
}

#[test]
fn what_has_come_is_handed_on_while_the_task_is_being_polled() {
    let host = FakeHost::new(
        |call, _| usual(call),
        |_, frame| match frame.kind {
            Kind::Poll => Reply::Frames(vec![messages(0, &[0, 0])]),
            _ => Reply::Ok(json!({})),
        },
    );
    let given_up = Arc::new(AtomicBool::new(false));
    let is_given_up = Arc::clone(&given_up);
    let context = SourceContext::new("c", 0).with_own_chain(own_chain());
    let context = context.on_abandonment(move || is_given_up.load(Ordering::SeqCst));
    let mut task = JavaSourceTask::start(&java(&host, None), context, &ConfigMap::new()).unwrap();
    assert_eq!(batches(task.poll(Duration::ZERO).unwrap())[0].records.len(), 2);
    // its answer has not ended
    assert!(task.is_polling());
    given_up.store(true, Ordering::SeqCst);
    assert!(task.poll(Duration::ZERO).unwrap_err().to_string().contains("given up"));
    assert!(!task.is_polling());
}

#[test]
fn what_came_before_an_error_of_a_poll_goes_first() {
    let failed = || {
        let error = crate::java_error::to_json(&Error::fatal("no"));
        Outgoing::json(Kind::Failed, &json!({ "error": error }))
    };
    let host = FakeHost::new(
        |call, _| usual(call),
        move |_, frame| match frame.kind {
            Kind::Poll => Reply::Frames(vec![messages(0, &[0]), failed()]),
            _ => Reply::Ok(json!({})),
        },
    );
    let mut task = start(&host);
    assert_eq!(batches(task.poll(Duration::ZERO).unwrap()).len(), 1);
    assert_eq!(task.poll(Duration::ZERO).unwrap_err().to_string(), "no");
}

#[test]
fn a_task_that_is_given_up_in_a_poll_returns_and_its_process_is_killed() {
    let host = FakeHost::new(
        |call, _| usual(call),
        |_, frame| match frame.kind {
            Kind::Poll => Reply::Hangs,
            _ => Reply::Ok(json!({})),
        },
    );
    let host_of_wait = host.clone();
    let java = java(&host, None);
    // given up as soon as the poll is out
    let is_polling = move || host_of_wait.has_received().iter().any(|name| name == "Poll");
    let context = SourceContext::new("c", 0).with_own_chain(own_chain()).on_abandonment(is_polling);
    let mut task = JavaSourceTask::start(&java, context, &ConfigMap::new()).unwrap();
    let error = task.poll(Duration::ZERO).unwrap_err().to_string();
    assert!(error.contains("given up"), "{error}");
    assert_eq!(host.starts(), 2, "one to scan, one for the connector");
    let context = SourceContext::new("c", 0).with_own_chain(own_chain());
    drop(JavaSourceTask::start(&java, context, &ConfigMap::new()).unwrap());
    assert_eq!(host.starts(), 3, "a fresh process for what starts next");
}

#[test]
fn a_host_that_dies_in_a_poll_fails_the_task() {
    let host = FakeHost::new(
        |call, _| usual(call),
        |_, frame| match frame.kind {
            Kind::Poll => Reply::Dies,
            _ => Reply::Ok(json!({})),
        },
    );
    let error = start(&host).poll(Duration::ZERO).unwrap_err();
    assert!(error.to_string().contains("heap is exhausted"), "{error}");
    wait_until("no process is left", || host.starts() == 2);
}

#[test]
fn messages_that_are_altered_are_an_error() {
    let mut bytes = Vec::new();
    messages(0, &[0, 1, 0]).write(&mut bytes).unwrap();
    let body = &bytes[5..];
    for cut in 0..body.len() {
        assert!(PolledMessages::default().add(&body[..cut]).is_err(), "{cut}");
    }
    for place in 0..body.len() {
        for bit in [1, 128] {
            let mut altered = body.to_vec();
            altered[place] ^= bit;
            let mut messages = PolledMessages::default();
            let _ = messages.add(&altered).map(|()| messages.finish()); // either, but no panic
        }
    }
}

proptest! {
    /// Law: once a batch and those of its source partition before it are delivered, its offset leaves nothing behind.
    #[test]
    fn no_batch_vouches_for_a_row_of_a_later_one(
        polled in prop::collection::vec((0u32..2, -1i32..2, 0u32..3), 1..40), cut in 0usize..40
    ) {
        let cut = cut.min(polled.len());
        let mut messages = PolledMessages::default();
        for (first, rows_of_frame) in [(0, &polled[..cut]), (cut, &polled[cut..])] {
            let mut bytes = Vec::new();
            rows(first as u64, rows_of_frame).write(&mut bytes).unwrap();
            messages.add(&bytes[5..]).unwrap();
        }
        let batches = messages.finish().unwrap();
        let mut all: Vec<u64> = batches.iter().flat_map(|batch| batch.sequences.clone()).collect();
        all.sort_unstable();
        prop_assert_eq!(all, (0..polled.len() as u64).collect::<Vec<_>>());
        for source in 0..3 {
            let of_source = |batch: &&NumberedBatch| batch.batch.partition["p"] == source;
            let mut delivered = Vec::new();
            let mut vouched = None;
            for batch in batches.iter().filter(of_source) {
                delivered.extend(&batch.sequences);
                let offset = batch.batch.offset["at"].as_u64().unwrap();
                for (row, _) in polled.iter().enumerate().filter(|(_, row)| row.2 == source) {
                    prop_assert!(row as u64 > offset || delivered.contains(&(row as u64)));
                }
                vouched = Some(offset);
            }
            let last = polled.iter().rposition(|row| row.2 == source).map(|row| row as u64);
            prop_assert_eq!(vouched, last);
        }
    }
}
