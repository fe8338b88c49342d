//! Laws of what a task's listener is told, and when.

use std::sync::Arc;

use crate::task::TaskState;
use crate::task::control::Wanted;
use crate::task::source::source_world::{Poll, Running, world};
use crate::testing::Gate;

#[test]
fn a_listener_that_asks_for_it_is_told_where_records_are_before_their_offsets_are_committed() {
    let world = world(true);
    world.change(|state| (state.has_listener, state.wants_acknowledgements) = (true, true));
    world.poll(Poll::Rows("a", vec!["x", "drop", "y"], 3));
    world.poll(Poll::Rows("a", vec!["drop"], 4));
    let mut running = Running::start(&world, &[]);
    running.until_stored("a", 3);
    world.until("it is told of both batches", |state| state.acknowledged.len() == 2);
    world.until("it is told of the commit", |state| state.told == [3]);
    running.stop().unwrap();
    let state = world.state.lock().unwrap();
    let (first, commits) = &state.acknowledged[0];
    let rows: Vec<_> = first.rows.iter().map(|row| (row.row, row.partition.to_string(), row.offset)).collect();
    assert_eq!(rows, [(0, "topic-0".to_owned(), 0), (2, "topic-0".to_owned(), 1)]);
    assert_eq!((first.offset["o"].as_u64(), *commits), (Some(3), 0));
    let (second, _) = &state.acknowledged[1];
    assert_eq!((second.offset["o"].as_u64(), second.rows.len()), (Some(4), 0));
}

#[test]
fn a_listener_is_told_of_commits_with_nothing_new_too() {
    for paused in [false, true] {
        let world = world(true);
        world.change(|state| state.has_listener = true);
        let mut running = Running::start(&world, &[]);
        if paused {
            world.until("it runs", |state| state.states.contains(&TaskState::Running));
            running.control.want(Wanted::Paused);
            world.until("it is paused", |state| state.states.contains(&TaskState::Paused));
        }
        let before = world.change(|state| state.commits);
        world.until("commits before anything was sent", |state| state.commits >= before + 2);
        running.control.want(Wanted::Running);
        world.poll(Poll::Rows("a", vec!["1"], 1));
        world.until("the offset", |state| state.told == [1]);
        let before = world.change(|state| state.commits);
        world.until("commits after that", |state| state.commits >= before + 2);
        assert_eq!(running.stop().unwrap(), TaskState::Unassigned);
        assert_eq!(world.change(|state| state.told.clone()), [1]);
    }
}

#[test]
fn no_commit_is_told_of_while_the_store_fails() {
    let world = world(true);
    world.change(|state| (state.has_listener, state.store_fails) = (true, true));
    world.poll(Poll::Rows("a", vec!["1"], 1));
    let mut running = Running::start(&world, &[]);
    world.until("tries", |state| state.store_calls >= 1);
    let before = world.change(|state| state.commits);
    world.until("more tries", |state| state.store_calls >= 4);
    assert_eq!(world.change(|state| state.commits), before);
    world.change(|state| state.store_fails = false);
    world.until("the offset", |state| state.told == [1]);
    running.stop().unwrap();
}

#[test]
fn a_listener_is_told_while_the_task_polls() {
    let world = world(true);
    world.change(|state| (state.has_listener, state.wants_acknowledgements) = (true, true));
    let gate = Arc::new(Gate::default());
    world.poll(Poll::Rows("a", vec!["1"], 1));
    world.poll(Poll::Late(Arc::clone(&gate), vec!["2"], 2));
    let mut running = Running::start(&world, &[]);
    world.until("it polls", |state| state.polled == 2);
    world.until("the batch", |state| state.acknowledged.len() == 1);
    world.until("the commit", |state| state.told == [1]);
    let before = world.change(|state| state.commits);
    world.until("commits with nothing new", |state| state.commits >= before + 2);
    assert_eq!(world.change(|state| state.polled), 2);
    gate.open();
    world.until("the second commit", |state| state.told == [1, 2]);
    running.stop().unwrap();
}

#[test]
fn a_listener_is_told_of_all_that_was_delivered_before_the_task_ends() {
    for end in [Poll::Finished, Poll::Fail(volley_api::Error::fatal("no"))] {
        let world = world(true);
        world.change(|state| (state.has_listener, state.wants_acknowledgements) = (true, true));
        world.poll(Poll::Rows("a", vec!["1"], 1));
        world.poll(end);
        let _ = Running::start(&world, &[]).end();
        let state = world.state.lock().unwrap();
        assert_eq!((state.acknowledged.len(), state.told.as_slice()), (1, [1].as_slice()));
    }
}
