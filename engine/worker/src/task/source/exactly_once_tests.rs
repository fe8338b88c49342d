//! Laws of a source task that delivers exactly once.

use volley_api::{Error, TransactionEnd};

use crate::task::TaskState;
use crate::task::control::Wanted;
use crate::task::source::fake_producer::Ended;
use crate::task::source::source_world::{Poll, Running, State, world};

const COMMITTED: Option<Ended> = Some(Ended::Committed);
const ABORTED: Option<Ended> = Some(Ended::Aborted);

const POLL: [(&str, &str); 1] = [("transaction.boundary", "poll")];
const CONNECTOR: [(&str, &str); 1] = [("transaction.boundary", "connector")];
const LONG_INTERVAL: [(&str, &str); 2] =
    [("transaction.boundary", "interval"), ("transaction.boundary.interval.ms", "3600000")];

fn ended(transactions: usize) -> impl Fn(&State) -> bool {
    move |state| state.transactions.iter().filter(|transaction| transaction.end.is_some()).count() == transactions
}

fn sent(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

#[test]
fn each_poll_is_a_transaction_with_its_offsets_and_the_task_is_told_afterwards() {
    let world = world(true);
    let mut task = Running::start(&world, &POLL);
    world.poll(Poll::Rows("a", vec!["1", "drop", "2"], 3));
    world.poll(Poll::Rows("b", vec!["x"], 1));
    world.poll(Poll::Rows("a", vec!["drop"], 4));
    world.until("the task is told", |state| state.told == [3, 1]);
    let transactions = [(sent(&["1", "2", "offset 3"]), COMMITTED), (sent(&["x", "offset 1"]), COMMITTED)];
    assert_eq!(task.transactions(&world), transactions);
    assert_eq!(task.stop().unwrap(), TaskState::Unassigned);
    assert_eq!(task.transactions(&world), transactions, "a batch that was dropped moves no offset by itself");
    assert_eq!(world.state.lock().unwrap().store_calls, 0, "offsets go nowhere but into the transactions");
}

#[test]
fn an_interval_holds_many_polls_and_a_stop_or_a_pause_ends_it_early() {
    let world = world(true);
    let mut task = Running::start(&world, &LONG_INTERVAL);
    world.poll(Poll::Rows("a", vec!["1"], 1));
    world.poll(Poll::Rows("a", vec!["2"], 2));
    world.until("both are sent", |state| state.sent.len() == 2);
    assert_eq!(task.transactions(&world), [(sent(&["1", "2"]), None)]);
    task.control.want(Wanted::Paused);
    world.until("the transaction is committed", ended(1));
    task.control.want(Wanted::Running);
    world.poll(Poll::Rows("a", vec!["3"], 3));
    world.until("it is sent", |state| state.sent.iter().any(|(value, _)| value == "3"));
    task.stop().unwrap();
    let expected = [(sent(&["1", "2", "offset 2"]), COMMITTED), (sent(&["3", "offset 3"]), COMMITTED)];
    assert_eq!(task.transactions(&world), expected);
}

#[test]
fn a_task_that_fails_commits_nothing_more() {
    let world = world(true);
    let mut task = Running::start(&world, &LONG_INTERVAL);
    world.poll(Poll::Rows("a", vec!["1"], 1));
    world.poll(Poll::Fail(Error::fatal("the source is gone")));
    assert_eq!(task.end().unwrap_err().to_string(), "the source is gone");
    assert_eq!(task.transactions(&world), [(sent(&["1"]), ABORTED)]);
}

#[test]
fn transactions_of_the_task_s_own_end_where_it_says_and_what_it_aborts_keeps_its_offset() {
    let world = world(true);
    let mut task = Running::start(&world, &CONNECTOR);
    world.poll(Poll::Rows("a", vec!["1"], 1));
    world.poll(Poll::RowsAndEnd("a", vec!["2"], 2, TransactionEnd::Commit));
    world.poll(Poll::RowsAndEnd("a", vec!["3"], 3, TransactionEnd::Abort));
    world.until("all have ended", ended(3));
    world.poll(Poll::Rows("a", vec!["4"], 4));
    world.until("it is sent", |state| state.sent.iter().any(|(value, _)| value == "4"));
    task.stop().unwrap();
    let expected = [
        (sent(&["1", "2", "offset 2"]), COMMITTED),
        (sent(&["3"]), ABORTED),
        (sent(&["offset 3"]), COMMITTED),
        (sent(&["4"]), ABORTED),
    ];
    assert_eq!(task.transactions(&world), expected);
}

#[test]
fn a_message_that_is_not_written_fails_the_task_whatever_it_tolerates() {
    for (fails_commits, values, message) in [
        (false, vec!["1", "refused"], "Unrecoverable exception from producer send callback"),
        (true, vec!["1"], "Failed to flush offsets and/or records for task c-0"),
    ] {
        let world = world(true);
        world.change(|state| state.fails_commits = fails_commits);
        let mut task = Running::start(&world, &[POLL[0], ("errors.tolerance", "all")]);
        world.poll(Poll::Rows("a", values, 1));
        let error = task.end().unwrap_err();
        assert_eq!(error.to_string(), message);
        assert!(task.transactions(&world).iter().all(|(_, end)| *end == ABORTED));
        assert!(world.state.lock().unwrap().told.is_empty());
    }
}

#[test]
fn a_task_may_not_write_to_the_topic_of_its_offsets() {
    let world = world(true);
    let mut task = Running::start(&world, &POLL);
    world.poll(Poll::ToOffsets);
    let error = task.end().unwrap_err().to_string();
    assert_eq!(error, "Source tasks may not produce to their own offsets topics when exactly-once support is enabled");
    assert!(task.transactions(&world).is_empty());
}
