//! Laws of batches that are put with one call.

use std::sync::Arc;
use std::time::{Duration, Instant};

use volley_api::{ConfigMap, Error, OwnChain, SinkBatch, SinkContext};

use crate::task::control::Wanted;
use crate::task::sink::put::put_stage_tests::{World, partition, world_of};

/// After which a put that failed comes again.
const SOON: Duration = Duration::from_millis(40);

/// Of a task with a chain of its own, which takes up to ten rows at once.
fn world() -> World {
    let own_chain = OwnChain {
        connector_config: ConfigMap::new(),
        worker_config: ConfigMap::new(),
        max_poll_records: 10,
        exactly_once: false,
    };
    world_of("all", SinkContext::new("c", 0).with_own_chain(own_chain))
}

/// The same, with a commit every so often.
fn world_that_commits_every(interval: Duration) -> World {
    let mut world = world();
    world.commit_every(interval);
    world
}

fn puts(world: &World) -> usize {
    world.script.lock().unwrap().calls.iter().filter(|call| **call == "put").count()
}

#[test]
fn batches_that_go_together_are_put_again_together_and_all_are_committed() {
    let mut world = world_that_commits_every(SOON);
    let generations = [world.assign(0), world.assign(1)];
    world.batch(0, 0..3, generations[0]);
    world.batch(1, 0..4, generations[1]);
    world.batch(0, 3..6, generations[0]);
    // the second of them, the first time
    world.script.lock().unwrap().puts.extend([Ok(()), Err(Error::retriable("later"))]);
    world.run().unwrap();
    assert_eq!(puts(&world), 2 + 3, "the second of three batches failed, and all were put again");
    assert_eq!((world.committed(0), world.committed(1)), (Some(6), Some(4)));
}

#[test]
fn of_batches_that_wait_together_those_of_a_partition_that_is_paused_are_dropped() {
    let mut world = world_that_commits_every(SOON);
    let generations = [world.assign(0), world.assign(1)];
    world.batch(0, 0..3, generations[0]);
    world.batch(1, 0..4, generations[1]);
    {
        let mut script = world.script.lock().unwrap();
        script.puts.push_back(Err(Error::retriable("later")));
        script.in_put.push_back(Box::new(|context, _| context.pause(&[partition(0)])));
    }
    world.run().unwrap();
    assert_eq!(puts(&world), 2, "the first of two failed, and then the second went alone");
    assert_eq!((world.committed(0), world.committed(1)), (Some(0), Some(4)));
}

#[test]
fn what_a_call_leaves_is_put_next_and_only_what_is_put_is_committed() {
    let mut world = world();
    let generations = [world.assign(0), world.assign(1)];
    world.batch(0, 0..3, generations[0]);
    world.batch(1, 0..4, generations[1]);
    world.batch(0, 3..6, generations[0]);
    world.script.lock().unwrap().leaves.extend([2, 0]);
    world.run().unwrap();
    assert_eq!(puts(&world), 1 + 2);
    assert_eq!((world.committed(0), world.committed(1)), (Some(6), Some(4)));
}

#[test]
fn nothing_that_waits_for_a_plug_in_is_put_where_the_task_is_to_stop() {
    let mut world = world();
    let generations = [world.assign(0), world.assign(1)];
    world.batch(0, 0..3, generations[0]);
    world.batch(1, 0..4, generations[1]);
    world.batch(0, 3..9, generations[0]);
    world.script.lock().unwrap().leaves.push_back(1);
    let control = Arc::clone(&world.shared.control);
    let deadline = Instant::now() + Duration::from_secs(60);
    let stop = move |_: &SinkContext, _: &SinkBatch| control.want(Wanted::Stopped { deadline });
    world.script.lock().unwrap().in_put.push_back(Box::new(stop));
    world.run().unwrap();
    assert_eq!(puts(&world), 1);
    assert_eq!((world.committed(0), world.committed(1)), (Some(3), Some(0)));
}

#[test]
fn what_waits_for_a_plug_in_while_the_task_is_paused_or_gives_up_a_partition_is_read_again() {
    for is_paused in [true, false] {
        let mut world = world();
        let generations = [world.assign(0), world.assign(1)];
        world.batch(0, 0..3, generations[0]);
        world.batch(1, 0..4, generations[1]);
        world.batch(0, 3..9, generations[0]);
        match is_paused {
            true => world.shared.control.want(Wanted::Paused),
            false => world.shared.revocation.begins(&[partition(2)]),
        }
        world.run().unwrap();
        assert_eq!(puts(&world), 0);
        let rewinds: Vec<_> =
            world.rewinds.take().into_iter().map(|rewind| (rewind.partition, rewind.offset)).collect();
        assert_eq!(rewinds, [(partition(0), 0), (partition(1), 0)]);
    }
}

fn calls(world: &World) -> Vec<&'static str> {
    let calls = world.script.lock().unwrap().calls.clone();
    calls.into_iter().filter(|call| ["put", "withdrawn"].contains(call)).collect()
}

#[test]
fn a_task_that_pauses_all_that_it_has_left_is_told_that_it_is_not_put_again() {
    // with a put behind, and with a put that fails
    for has_failed in [false, true] {
        let mut world = world_that_commits_every(SOON);
        let generation = world.assign(0);
        world.batch(0, 0..3, generation);
        world.batch(0, 3..6, generation);
        {
            let mut script = world.script.lock().unwrap();
            match has_failed {
                true => script.puts.push_back(Err(Error::retriable("full"))),
                false => script.leaves.push_back(1),
            }
            script.in_put.push_back(Box::new(|context, _| context.pause(&[partition(0)])));
        }
        world.run().unwrap();
        assert_eq!(calls(&world), ["put", "withdrawn"], "failed: {has_failed}");
        assert_eq!(world.committed(0), Some(if has_failed { 0 } else { 3 }));
    }
}

#[test]
fn a_task_that_keeps_nothing_back_is_told_nothing() {
    let mut world = world();
    let generation = world.assign(0);
    world.batch(0, 0..3, generation);
    world.script.lock().unwrap().in_put.push_back(Box::new(|context, _| context.pause(&[partition(0)])));
    world.batch(0, 3..6, generation);
    world.script.lock().unwrap().leaves.push_back(0);
    world.run().unwrap();
    assert!(!calls(&world).contains(&"withdrawn"));
}

#[test]
fn what_is_wrong_with_a_put_that_is_not_repeated_as_the_task_is_to_stop_fails_the_task() {
    let mut world = world();
    let generation = world.assign(0);
    world.batch(0, 0..3, generation);
    world.batch(0, 3..6, generation);
    let control = Arc::clone(&world.shared.control);
    let deadline = Instant::now() + Duration::from_secs(60);
    {
        let mut script = world.script.lock().unwrap();
        script.leaves.push_back(1);
        script.in_put.push_back(Box::new(move |_, _| control.want(Wanted::Stopped { deadline })));
        script.withdrawals.push_back(Err(Error::fatal("disk full")));
    }
    let error = world.run().unwrap_err();
    assert!(error.trace().contains("disk full"), "{error:?}");
    assert_eq!(world.committed(0), Some(3), "what was put before counts");
}

#[test]
fn a_put_that_could_not_be_done_comes_again_at_the_next_commit_which_is_made_meanwhile() {
    let mut world = world_that_commits_every(SOON);
    let generation = world.assign(0);
    world.batch(0, 0..3, generation);
    world.batch(0, 3..13, generation);
    world.script.lock().unwrap().puts.extend([Ok(()), Err(Error::retriable("full")), Err(Error::retriable("full"))]);
    world.run().unwrap();
    let script = world.script.lock().unwrap();
    let calls: Vec<_> = script.calls.iter().filter(|call| ["put", "pre_commit"].contains(call)).copied().collect();
    let failed = calls.iter().rposition(|call| *call == "put").unwrap();
    assert!(calls[..failed].contains(&"pre_commit"), "committed before the last try: {calls:?}");
    let at = &script.put_at;
    assert!(at[3] - at[2] >= SOON / 2, "{at:?}");
}

#[test]
fn a_put_that_is_to_come_again_later_than_the_next_commit_comes_then() {
    let mut world = world_that_commits_every(SOON);
    let generation = world.assign(0);
    world.batch(0, 0..3, generation);
    {
        let mut script = world.script.lock().unwrap();
        script.in_put.push_back(Box::new(|context, _| context.timeout(Duration::MAX)));
        script.puts.push_back(Err(Error::retriable("full")));
    }
    world.run().unwrap();
    assert_eq!(puts(&world), 2);
}
