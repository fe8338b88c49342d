//! The S3 servers of the test bed can do what the sinks depend on.

use std::sync::Barrier;
use std::thread;

use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions};

use crate::delivered_rows::{block_on, store};
use crate::testbed::S3;

const RACES: usize = 20;
const RACERS: u8 = 4;

/// Many writers at once of an object that is to be created only if it is absent: one has done it, and it is its object.
fn creates_an_object_only_if_it_is_absent(s3: &S3) {
    s3.create_bucket("conditional");
    for race in 0..RACES {
        let path = object_store::path::Path::from(format!("race/{race}"));
        let barrier = Barrier::new(usize::from(RACERS));
        let body = |racer: u8| vec![racer; 100_000];
        let write = &|racer: u8| {
            let store = store(s3, "conditional");
            barrier.wait();
            block_on(store.put_opts(&path, body(racer).into(), PutOptions::from(PutMode::Create)))
        };
        let outcomes: Vec<_> = thread::scope(|scope| {
            let racers: Vec<_> = (0..RACERS).map(|racer| scope.spawn(move || write(racer))).collect();
            racers.into_iter().map(|racer| racer.join().unwrap()).collect()
        });
        let winners: Vec<u8> = (0..RACERS).filter(|racer| outcomes[usize::from(*racer)].is_ok()).collect();
        assert_eq!(winners.len(), 1, "{outcomes:?}");
        let losers = outcomes.iter().filter_map(|outcome| outcome.as_ref().err());
        for error in losers {
            assert!(matches!(error, object_store::Error::AlreadyExists { .. }), "{error}");
        }
        let store = store(s3, "conditional");
        let object = block_on(async { store.get(&path).await.unwrap().bytes().await.unwrap() });
        assert!(object == body(winners[0]), "the object is another's");
    }
}

#[test]
fn the_s3_server_in_memory_creates_an_object_only_if_it_is_absent() {
    creates_an_object_only_if_it_is_absent(S3::shared());
}

#[test]
fn the_s3_server_on_disk_creates_an_object_only_if_it_is_absent() {
    creates_an_object_only_if_it_is_absent(S3::shared_on_disk());
}
