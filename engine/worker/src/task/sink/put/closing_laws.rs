//! Laws of the end: in which order a task that is asked once vouches, closes and has its offsets committed. It is the order of
//! Kafka's `WorkerSinkTask`.

use std::time::{Duration, Instant};

use volley_api::Error;

use crate::task::control::Wanted;
use crate::task::sink::pipeline::Signal;
use crate::task::sink::put::put_stage::Outcome;
use crate::task::sink::put::put_stage_tests::{World, go_back, partition, world_of_java_sink};

/// Each way to give up all partitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Revocation,
    Stop,
    Failure,
}

/// A world that gives up its partition in this way, with a batch to put before.
fn world_that_ends_by(way: Way) -> World {
    let (world, _) = world_of_java_sink();
    match way {
        Way::Revocation => world.send(Signal::Revoked(vec![partition(0)], crossbeam_channel::bounded(1).0)),
        Way::Stop => {
            world.shared.control.want(Wanted::Stopped { deadline: Instant::now() + Duration::from_secs(60) });
            world.send(Signal::Stop);
        }
        Way::Failure => world.send(Signal::Failed(Error::fatal("the broker is gone"))),
    }
    world
}

const WAYS: [Way; 3] = [Way::Revocation, Way::Stop, Way::Failure];

#[test]
fn what_a_task_that_is_asked_once_vouches_for_is_committed_when_it_has_closed() {
    for way in WAYS {
        let mut world = world_that_ends_by(way);
        assert_eq!(world.run().is_err(), way == Way::Failure);
        let calls = world.script.lock().unwrap().calls.clone();
        let closed = calls.iter().position(|call| *call == "close").unwrap();
        assert_eq!(calls[closed - 1..closed + 2], ["pre_commit", "close", "commit"], "{way:?}: {calls:?}");
        assert_eq!(calls.iter().filter(|call| **call == "close").count(), 1, "{way:?}: {calls:?}");
        assert_eq!(world.committed(0), Some(10), "{way:?}");
    }
}

#[test]
fn nothing_is_committed_of_a_task_that_is_asked_once_and_cannot_close() {
    for way in WAYS {
        let mut world = world_that_ends_by(way);
        world.script.lock().unwrap().closes = [Err(Error::fatal("could not write the last file"))].into();
        // a stop ends as a stop: what is wrong stands in the log
        assert_eq!(world.run().is_err(), way != Way::Stop);
        assert_eq!(world.committed(0), None, "{way:?}");
    }
}

#[test]
fn a_task_that_is_asked_once_vouches_for_the_partitions_that_it_gives_up() {
    let (mut world, _) = world_of_java_sink();
    world.assign(1);
    world.send(Signal::Revoked(vec![partition(0)], crossbeam_channel::bounded(1).0));
    world.run().unwrap();
    let asked = world.script.lock().unwrap().asked.clone();
    let asked: Vec<Vec<_>> = asked.iter().map(|offsets| offsets.keys().cloned().collect()).collect();
    assert_eq!(asked, [[partition(0)], [partition(1)]]);
    assert_eq!((world.committed(0), world.committed(1)), (Some(10), Some(0)));
}

#[test]
fn where_a_task_is_asked_once_a_failed_pre_commit_ends_in_close_without_a_commit() {
    for is_revoked in [true, false] {
        let (mut world, _) = world_of_java_sink();
        let (done, is_done) = crossbeam_channel::bounded(1);
        if is_revoked {
            world.send(Signal::Revoked(vec![partition(0)], done));
        } else {
            world.shared.control.want(Wanted::Stopped { deadline: Instant::now() + Duration::from_secs(60) });
            world.send(Signal::Stop);
        }
        let mut script = world.script.lock().unwrap();
        script.in_pre_commit = [go_back()].into();
        script.pre_commits = [Err(Error::retriable("preCommit has failed"))].into();
        drop(script);
        assert_eq!(world.run().unwrap(), Outcome::Stopped);
        assert_eq!(is_done.try_recv().is_ok(), is_revoked);
        let calls = world.script.lock().unwrap().calls.clone();
        let [.., before, close] = &calls[..calls.iter().position(|call| *call == "close").unwrap() + 1] else {
            panic!()
        };
        assert_eq!((*before, *close), ("pre_commit", "close"), "{calls:?}");
        assert_eq!(world.committed(0), None);
    }
}
