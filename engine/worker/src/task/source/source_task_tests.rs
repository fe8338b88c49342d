//! Laws of the source loop.

use std::sync::Arc;
use std::time::{Duration, Instant};

use volley_api::Error;
use volley_kafka::Delivery as Delivered;

use crate::task::TaskState;
use crate::task::control::Wanted;
use crate::task::source::fake_producer::unknown_topic;
use crate::task::source::source_world::{Poll, Running, State, World, world};
use crate::testing::Gate;

const SOON: Duration = Duration::from_secs(20);

#[test]
fn a_task_without_records_has_no_producer_and_one_thread() {
    let world = world(true);
    let mut task = Running::start(&world, &[]);
    world.until("polls", |state| state.polled > 20);
    world.poll(Poll::Rows("a", vec!["drop"], 1));
    world.until("the row is dropped", |state| state.transformed.len() == 1);
    assert_eq!(task.stop().unwrap(), TaskState::Unassigned);
    assert_eq!(world.state.lock().unwrap().producers, 0);
    assert_eq!(task.stored("a"), None, "a batch that was dropped moves no offset by itself");
}

#[test]
fn offsets_are_committed_at_the_interval_and_the_task_is_told() {
    let world = world(true);
    let mut task = Running::start(&world, &[]);
    world.poll(Poll::Rows("a", vec!["1", "drop", "2"], 3));
    task.until_stored("a", 3);
    world.poll(Poll::Rows("a", vec!["3"], 4));
    world.poll(Poll::Rows("b", vec!["1"], 10));
    task.until_stored("a", 4);
    task.until_stored("b", 10);
    world.until("the task is told", |state| state.told.contains(&4) && state.told.contains(&10));
    assert_eq!(world.state.lock().unwrap().topics, ["topic"]);
    assert_eq!(task.stop().unwrap(), TaskState::Unassigned);
}

#[test]
fn an_unacknowledged_message_holds_up_its_own_partition_only() {
    let world = world(false);
    let mut task = Running::start(&world, &[]);
    world.poll(Poll::Rows("a", vec!["a1"], 1));
    world.poll(Poll::Rows("b", vec!["b1"], 1));
    world.poll(Poll::Rows("a", vec!["a2"], 2));
    world.acknowledge("a2", None);
    world.acknowledge("b1", None);
    task.until_stored("b", 1);
    assert_eq!(task.stored("a"), None);
    world.acknowledge("a1", None);
    task.until_stored("a", 2);
    task.stop().unwrap();
}

#[test]
fn a_stop_waits_for_acknowledgements_and_commits_once_more() {
    let world = world(false);
    let mut task = Running::start_with(&world, &[], false, Duration::from_secs(3600));
    world.poll(Poll::Rows("a", vec!["1"], 1));
    world.until("it is sent", |state| state.sent.len() == 1);
    task.request_stop();
    world.acknowledge("1", None);
    assert_eq!(task.end().unwrap(), TaskState::Unassigned);
    assert_eq!(task.stored("a"), Some(1));
    assert_eq!(world.state.lock().unwrap().told, [1]);
}

#[test]
fn a_stop_does_not_wait_for_ever_and_commits_what_is_acknowledged() {
    let world = world(false);
    let mut task = Running::start_with(&world, &[], false, Duration::from_secs(3600));
    world.poll(Poll::Rows("a", vec!["1"], 1));
    world.poll(Poll::Rows("a", vec!["2"], 2));
    world.acknowledge("1", None);
    world.until("both are sent", |state| state.sent.len() == 2);
    assert_eq!(task.stop().unwrap(), TaskState::Unassigned);
    assert_eq!(task.stored("a"), Some(1));
}

#[test]
fn a_stop_lets_a_batch_be_sent_to_its_end_while_there_is_time() {
    let world = world(true);
    world.change(|state| state.is_full = true);
    let mut task = Running::start_with(&world, &[], false, Duration::from_secs(3600));
    world.poll(Poll::Rows("a", vec!["1", "2", "3"], 3));
    world.until("the first is sent", |state| state.sent.len() == 1);
    task.request_stop_within(SOON);
    world.change(|state| state.is_full = false);
    assert_eq!(task.end().unwrap(), TaskState::Unassigned);
    assert_eq!((world.state.lock().unwrap().sent.len(), task.stored("a")), (3, Some(3)));

    world.change(|state| state.is_full = true);
    let mut task = Running::start_with(&world, &[], false, Duration::from_secs(3600));
    world.poll(Poll::Rows("a", vec!["1", "2", "3"], 3));
    world.until("the first is sent", |state| state.sent.len() == 4);
    assert_eq!(task.stop().unwrap(), TaskState::Unassigned);
    assert_eq!((world.state.lock().unwrap().sent.len(), task.stored("a")), (4, None));
}

#[test]
fn what_a_task_is_still_giving_comes_before_a_pause_and_a_stop() {
    for pauses in [true, false] {
        let world = world(true);
        world.change(|state| state.is_polling = true);
        let gate = Gate::named("what_a_task_is_still_giving");
        world.poll(Poll::Late(Arc::clone(&gate), vec!["1"], 1));
        world.poll(Poll::Rows("a", vec!["2"], 2));
        world.poll(Poll::Rows("a", vec!["3"], 3));
        let mut task = Running::start(&world, &[]);
        world.until("it polls", |state| state.polled == 1);
        match pauses {
            true => task.control.want(Wanted::Paused),
            false => task.request_stop(),
        }
        gate.open();
        world.until("all is sent", |state| state.sent.len() == 3);
        if pauses {
            world.until("it is paused", |state| state.states.contains(&TaskState::Paused));
            task.request_stop();
        }
        assert_eq!(task.end().unwrap(), TaskState::Unassigned);
        assert_eq!((task.stored("a"), world.state.lock().unwrap().polled), (Some(3), 3));
    }
}

#[test]
fn what_is_acknowledged_during_a_pause_is_committed() {
    let world = world(false);
    let mut task = Running::start(&world, &[]);
    world.poll(Poll::Rows("a", vec!["1"], 1));
    world.until("it is sent", |state| state.sent.len() == 1);
    task.control.want(Wanted::Paused);
    world.until("it pauses", |state| state.states.last() == Some(&TaskState::Paused));
    world.acknowledge("1", None);
    task.until_stored("a", 1);
    world.until("the task is told", |state| state.told == [1]);
    let polled = world.state.lock().unwrap().polled;
    task.control.want(Wanted::Running);
    world.until("it goes on", |state| state.polled > polled);
    assert_eq!(task.stop().unwrap(), TaskState::Unassigned);
}

#[test]
fn a_task_that_starts_paused_is_not_started_before_it_is_resumed() {
    let world = world(true);
    let mut task = Running::start_with(&world, &[("fail", "x")], true, Duration::from_millis(20));
    world.until("it pauses", |state| state.states == [TaskState::Paused]);
    task.control.want(Wanted::Running);
    assert_eq!(task.end().unwrap_err().to_string(), "told to fail");

    let stopped = Arc::clone(&world);
    let mut task = Running::start_with(&stopped, &[("fail", "x")], true, Duration::from_millis(20));
    assert_eq!(task.stop().unwrap(), TaskState::Unassigned);
}

#[test]
fn a_commit_that_fails_is_tried_again_and_fails_nothing() {
    let world = world(true);
    world.change(|state| state.store_fails = true);
    let mut task = Running::start(&world, &[]);
    world.poll(Poll::Rows("a", vec!["1"], 1));
    world.poll(Poll::Rows("b", vec!["1"], 1));
    world.until("commits fail", |state| state.store_calls >= 3);
    world.change(|state| state.store_fails = false);
    task.until_stored("a", 1);
    task.until_stored("b", 1);
    task.stop().unwrap();
}

#[test]
fn a_store_that_hangs_holds_up_neither_polling_nor_producing_nor_a_stop() {
    let world = world(true);
    world.change(|state| state.store_hangs = true);
    let mut task = Running::start(&world, &[]);
    world.poll(Poll::Rows("a", vec!["1"], 1));
    world.until("a commit hangs", |state| state.store_calls == 1);
    for offset in 2..10 {
        world.poll(Poll::Rows("a", vec!["x"], offset));
    }
    world.until("all is sent", |state| state.sent.len() == 9);
    assert_eq!(world.state.lock().unwrap().store_calls, 1, "there is one commit at a time");
    assert_eq!(task.stop().unwrap(), TaskState::Unassigned);
    world.change(|state| state.store_hangs = false);
    task.until_stored("a", 1);
}

#[test]
fn an_abandoned_task_commits_nothing_and_reports_nothing() {
    let world = world(false);
    let task = Running::start_with(&world, &[], false, Duration::from_millis(20));
    world.poll(Poll::Rows("a", vec!["1"], 1));
    world.poll(Poll::Hang);
    world.until("it is sent and hangs", |state| state.sent.len() == 1 && state.polls.is_empty());
    task.request_stop();
    assert!(!task.control.await_end(Duration::from_millis(50)));
    let states = world.state.lock().unwrap().states.len();
    world.acknowledge("1", None);
    world.until("the acknowledgement is seen", |state| state.deliveries.is_empty());
    // the stage commits at the latest with the next acknowledgement
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!((task.stored("a"), world.state.lock().unwrap().store_calls), (None, 0));
    assert_eq!(world.state.lock().unwrap().states.len(), states);
}

#[test]
fn what_an_abandoned_task_polls_later_is_not_produced() {
    let world = world(true);
    let gate = Gate::named("what_an_abandoned_task_polls_later");
    let mut task = Running::start(&world, &[]);
    world.poll(Poll::Rows("a", vec!["1"], 1));
    task.until_stored("a", 1);
    world.poll(Poll::Late(Arc::clone(&gate), vec!["2"], 2));
    world.until("it hangs", |state| state.polls.is_empty());
    task.request_stop();
    assert!(!task.control.await_end(Duration::from_millis(20)));
    gate.open();
    assert_eq!(task.end().unwrap(), TaskState::Unassigned);
    assert_eq!(world.state.lock().unwrap().sent.len(), 1);
    assert_eq!(task.stored("a"), Some(1));
}

#[test]
fn what_an_abandoned_task_converts_later_is_not_produced() {
    let world = world(true);
    let gate = Gate::named("what_an_abandoned_task_converts_later");
    world.change(|state| state.converter_gate = Some(Arc::clone(&gate)));
    let mut task = Running::start(&world, &[]);
    world.poll(Poll::Rows("a", vec!["1"], 1));
    task.until_stored("a", 1);
    world.poll(Poll::Rows("a", vec!["late", "2"], 3));
    world.until("it hangs", |state| state.converting == 1);
    task.request_stop();
    assert!(!task.control.await_end(Duration::from_millis(20)));
    gate.open();
    let _ = task.end();
    assert_eq!(sent(&world), ["1"]);
    assert_eq!(task.stored("a"), Some(1));
}

#[test]
fn what_is_acknowledged_with_or_after_a_failure_is_committed() {
    let world = world(false);
    let mut task = Running::start_with(&world, &[], false, Duration::from_secs(3600));
    world.poll(Poll::Rows("a", vec!["1", "2"], 2));
    world.poll(Poll::Rows("b", vec!["3"], 3));
    world.poll(Poll::Rows("c", vec!["4"], 4));
    world.until("they are sent", |state| state.sent.len() == 4);
    let delivery = |state: &State, value: &str, is_delivered: bool| Delivered {
        token: state.sent.iter().find(|(sent, _)| sent == value).unwrap().1,
        result: is_delivered.then_some((0, 0)).ok_or_else(|| Error::data(format!("{value} is too large"))),
        returned: None,
    };
    world.change(|state| {
        state.deliveries = vec![delivery(state, "1", false), delivery(state, "3", true)];
        state.later_deliveries = vec![delivery(state, "2", false), delivery(state, "4", true)];
    });
    let error = task.end().unwrap_err();
    assert!(error.trace().contains("1 is too large"), "the first: {}", error.trace());
    assert_eq!((task.stored("a"), task.stored("b"), task.stored("c")), (None, Some(3), Some(4)));
}

#[test]
fn what_was_delivered_before_a_panic_is_committed() {
    let world = world(true);
    let mut task = Running::start_with(&world, &[], false, Duration::from_secs(3600));
    world.poll(Poll::Rows("a", vec!["1"], 1));
    world.poll(Poll::Panic);
    assert!(task.end().unwrap_err().to_string().contains("told to panic"));
    assert_eq!(task.stored("a"), Some(1));
}

#[test]
fn a_poll_that_hangs_at_a_stop_does_not_cost_the_offsets_of_what_is_delivered() {
    let world = world(true);
    let task = Running::start_with(&world, &[], false, Duration::from_secs(3600));
    world.poll(Poll::Rows("a", vec!["1"], 1));
    world.poll(Poll::Hang);
    world.until("it is sent and hangs", |state| state.sent.len() == 1 && state.polls.is_empty());
    task.request_stop();
    task.until_stored("a", 1);
    assert!(!task.control.await_end(Duration::ZERO));
}

#[test]
fn without_tolerance_a_message_that_is_not_delivered_fails_the_task_and_what_came_before_is_committed() {
    let world = world(false);
    let mut task = Running::start_with(&world, &[], false, Duration::from_secs(3600));
    world.poll(Poll::Rows("a", vec!["1"], 1));
    world.poll(Poll::Rows("a", vec!["2"], 2));
    world.acknowledge("1", None);
    world.acknowledge("2", Some(Error::data("too large")));
    let error = task.end().unwrap_err();
    assert_eq!(error.to_string(), "Unrecoverable exception from producer send callback");
    assert!(error.trace().contains("too large"), "{}", error.trace());
    assert_eq!(task.stored("a"), Some(1));
}

#[test]
fn a_failure_is_noticed_by_a_task_that_has_nothing_to_poll_or_is_paused() {
    let world = world(false);
    let mut task = Running::start(&world, &[]);
    world.poll(Poll::Rows("a", vec!["1"], 1));
    world.until("it is sent", |state| state.sent.len() == 1);
    task.control.want(Wanted::Paused);
    world.until("it pauses", |state| state.states.last() == Some(&TaskState::Paused));
    world.acknowledge("1", Some(Error::fatal("no")));
    assert!(task.end().is_err());
}

#[test]
fn with_tolerance_a_message_that_is_not_delivered_counts_as_acknowledged() {
    let world = world(false);
    let mut task = Running::start(&world, &[("errors.tolerance", "all")]);
    world.poll(Poll::Rows("a", vec!["1", "refused"], 1));
    world.acknowledge("1", Some(Error::fatal("no")));
    task.until_stored("a", 1);
    task.stop().unwrap();
    assert!(world.state.lock().unwrap().topics.is_empty(), "nothing got to the topic");
}

#[test]
fn tolerance_does_not_cover_what_would_be_delivered_later_nor_a_login_that_is_refused() {
    let world_unknown = world(false);
    let mut task = Running::start(&world_unknown, &[("errors.tolerance", "all")]);
    world_unknown.poll(Poll::Rows("a", vec!["1"], 1));
    world_unknown.acknowledge("1", Some(unknown_topic()));
    assert!(task.end().unwrap_err().trace().contains("told to know no topic"));
    assert_eq!(task.stored("a"), None);

    let world_login = world(true);
    let mut task = Running::start(&world_login, &[("errors.tolerance", "all")]);
    world_login.poll(Poll::Rows("a", vec!["login"], 1));
    assert!(task.end().unwrap_err().trace().contains("told to refuse the login"));
    assert_eq!(task.stored("a"), None);
}

#[test]
fn a_message_that_has_had_all_the_time_it_is_given_is_tolerated() {
    let world = world(false);
    let mut task = Running::start(&world, &[("errors.tolerance", "all")]);
    world.poll(Poll::Rows("a", vec!["1"], 1));
    let late = Error::retriable("late").with_exception("org.apache.kafka.common.errors.TimeoutException");
    world.acknowledge("1", Some(late));
    task.until_stored("a", 1);
    task.stop().unwrap();
}

fn sent(world: &World) -> Vec<String> {
    world.state.lock().unwrap().sent.iter().map(|(value, _)| value.clone()).collect()
}

#[test]
fn rows_for_a_topic_that_is_gone_are_sent_when_it_is_back_whatever_the_tolerance() {
    for tolerance in ["none", "all"] {
        let world = world(true);
        let mut task = Running::start(&world, &[("errors.tolerance", tolerance)]);
        world.poll(Poll::Rows("a", vec!["1"], 1));
        task.until_stored("a", 1);
        world.change(|state| {
            state.unknown_topics = 2;
            state.missing_topics.insert("topic".into());
        });
        world.poll(Poll::Rows("a", vec!["2", "3"], 3));
        world.until("the topic is missed", |state| state.unknown_topics == 1);
        assert_eq!(task.stored("a"), Some(1));
        world.change(|state| state.missing_topics.clear());
        task.until_stored("a", 3);
        assert_eq!(sent(&world), ["1", "2", "3"]);
        assert_eq!(world.state.lock().unwrap().timestamps, [None, None, Some(0)]);
        task.stop().unwrap();
    }
}

#[test]
fn messages_that_come_back_are_sent_again_in_order_before_what_follows_and_hold_up_their_offset() {
    let world = world(false);
    let mut task = Running::start(&world, &[("errors.tolerance", "all")]);
    world.poll(Poll::Rows("a", vec!["1", "x", "y"], 3));
    world.until("they are sent", |state| state.sent.len() == 3);
    world.change(|state| {
        state.missing_topics.insert("topic".into());
    });
    world.acknowledge("1", None);
    world.return_messages(&["y", "x"]);
    world.until("they are back", |state| state.deliveries.is_empty());
    world.poll(Poll::Rows("a", vec!["z"], 4));
    world.change(|state| {
        state.acknowledges_all = true;
        state.missing_topics.clear();
    });
    task.until_stored("a", 4);
    assert_eq!(sent(&world), ["1", "x", "y", "x", "y", "z"]);
    assert_eq!(world.state.lock().unwrap().timestamps[3..], [Some(0), Some(1), None]);
    task.stop().unwrap();
}

#[test]
fn messages_that_come_back_one_after_the_other_are_sent_again_in_order() {
    let world = world(false);
    let mut task = Running::start(&world, &[]);
    world.poll(Poll::Rows("a", vec!["1", "x", "y"], 3));
    world.until("they are sent", |state| state.sent.len() == 3);
    world.change(|state| {
        state.missing_topics.insert("topic".into());
    });
    for value in ["y", "x", "1"] {
        world.return_messages(&[value]);
        world.until("it is back", |state| state.deliveries.is_empty());
    }
    world.change(|state| {
        state.acknowledges_all = true;
        state.missing_topics.clear();
    });
    task.until_stored("a", 3);
    assert_eq!(sent(&world), ["1", "x", "y", "1", "x", "y"]);
    task.stop().unwrap();
}

#[test]
fn a_topic_that_is_gone_holds_up_no_stop_and_its_rows_count_as_not_sent() {
    let world = world(false);
    let mut task = Running::start(&world, &[]);
    world.poll(Poll::Rows("a", vec!["1"], 1));
    world.until("it is sent", |state| state.sent.len() == 1);
    world.change(|state| {
        state.missing_topics.insert("topic".into());
    });
    world.return_messages(&["1"]);
    world.until("it is back", |state| state.deliveries.is_empty());
    let asked = Instant::now();
    task.request_stop_within(Duration::from_secs(60));
    assert_eq!(task.end().unwrap(), TaskState::Unassigned);
    assert!(asked.elapsed() < Duration::from_secs(5));
    assert_eq!(task.stored("a"), None);
}

#[test]
fn a_bounded_source_whose_topic_goes_at_the_end_is_done_when_it_is_back() {
    let world = world(false);
    let mut task = Running::start(&world, &[]);
    world.poll(Poll::Rows("a", vec!["1"], 1));
    world.poll(Poll::Finished);
    world.until("it is sent", |state| state.sent.len() == 1);
    world.change(|state| state.acknowledges_all = true);
    world.return_messages(&["1"]);
    assert_eq!(task.end().unwrap(), TaskState::Done);
    assert_eq!((task.stored("a"), sent(&world).len()), (Some(1), 2));
}

#[test]
fn a_failed_poll_ends_the_task_after_a_last_commit() {
    let world = world(true);
    let mut task = Running::start_with(&world, &[], false, Duration::from_secs(3600));
    world.poll(Poll::Fail(Error::retriable("tried again")));
    world.poll(Poll::Rows("a", vec!["1"], 1));
    world.poll(Poll::Fail(Error::fatal("told to fail")));
    assert_eq!(task.end().unwrap_err().to_string(), "told to fail");
    assert_eq!(task.stored("a"), Some(1));
}

#[test]
fn a_bounded_source_is_done_when_everything_is_acknowledged_and_stored() {
    let world = world(false);
    world.change(|state| state.store_fails = true);
    let mut task = Running::start(&world, &[]);
    world.poll(Poll::Rows("a", vec!["1"], 1));
    world.poll(Poll::Finished);
    world.acknowledge("1", None);
    world.until("commits fail", |state| state.store_calls >= 3);
    world.change(|state| state.store_fails = false);
    assert_eq!(task.end().unwrap(), TaskState::Done);
    assert_eq!(task.stored("a"), Some(1));
}

#[test]
fn a_missing_topic_is_waited_for_and_does_not_hold_up_a_stop() {
    let world = world(true);
    world.change(|state| state.missing_topics.insert("topic".into()));
    let mut task = Running::start(&world, &[]);
    world.poll(Poll::Rows("a", vec!["1"], 1));
    world.until("there is a producer", |state| state.producers == 1);
    assert_eq!(task.stop().unwrap(), TaskState::Unassigned);
    assert_eq!(task.stored("a"), None);

    let mut task = Running::start(&world, &[]);
    world.poll(Poll::Rows("a", vec!["1"], 1));
    world.until("there is another", |state| state.producers == 2);
    world.change(|state| state.missing_topics.clear());
    task.until_stored("a", 1);
    task.stop().unwrap();
}

#[test]
fn rows_that_may_succeed_later_are_tried_again_alone_and_keep_their_place() {
    let world = world(true);
    let retries = [("errors.retry.timeout", "60000"), ("errors.retry.delay.max.ms", "1")];
    let mut task = Running::start(&world, &retries);
    world.poll(Poll::Rows("a", vec!["1", "retry:2:x", "2", "retry:1:y", "3"], 5));
    task.until_stored("a", 5);
    let state = world.state.lock().unwrap();
    let sent: Vec<_> = state.sent.iter().map(|(value, _)| value.as_str()).collect();
    assert_eq!(sent, ["1", "retry:2:x", "2", "retry:1:y", "3"]);
    assert_eq!(state.transformed[5..], ["retry:2:x", "retry:1:y", "retry:2:x"], "good rows are transformed once");
    drop(state);
    task.stop().unwrap();
}

#[test]
fn when_the_time_for_retries_is_over_tolerance_decides() {
    let retries = [("errors.retry.timeout", "20"), ("errors.retry.delay.max.ms", "1")];
    let world_none = world(true);
    let mut task = Running::start(&world_none, &retries);
    world_none.poll(Poll::Rows("a", vec!["1", "retry:100000:x"], 1));
    assert!(task.end().unwrap_err().to_string().contains("Tolerance exceeded in error handler"));
    assert_eq!(task.stored("a"), None);

    let world_all = world(true);
    let mut task = Running::start(&world_all, &[&retries[..], &[("errors.tolerance", "all")]].concat());
    world_all.poll(Poll::Rows("a", vec!["1", "retry:100000:x", "fail", "2"], 4));
    task.until_stored("a", 4);
    assert_eq!(world_all.state.lock().unwrap().sent.len(), 2);
    task.stop().unwrap();
}

#[test]
fn a_stop_ends_retries_and_what_was_tried_is_not_skipped() {
    let world = world(true);
    let forever = [("errors.retry.timeout", "-1"), ("errors.tolerance", "all")];
    let mut task = Running::start(&world, &forever);
    world.poll(Poll::Rows("a", vec!["retry:100000:x", "1"], 2));
    world.until("it is tried", |state| !state.transformed.is_empty());
    let asked = Instant::now();
    assert!(task.stop().is_err());
    assert!(asked.elapsed() < Duration::from_secs(5));
    assert_eq!(task.stored("a"), None);
}

#[test]
fn a_task_without_a_listener_is_told_of_commits_with_something_new_only() {
    let world = world(true);
    world.poll(Poll::Rows("a", vec!["1"], 1));
    let mut running = Running::start(&world, &[]);
    world.until("the offset", |state| state.told == [1]);
    let polled = world.change(|state| state.polled);
    world.until("many polls", |state| state.polled > polled + 50);
    running.stop().unwrap();
    let state = world.state.lock().unwrap();
    assert!(state.commits == 0 && state.acknowledged.is_empty() && state.told == [1]);
}
