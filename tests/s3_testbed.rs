//! The S3 servers of the test bed can do what the sinks depend on.

use std::sync::Barrier;
use std::thread;

use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions};

use crate::delivered_rows::{block_on, store};
use crate::testbed::S3;

const BUCKET: &str = "conditional";
const RACED: &str = "raced";
const RACES: usize = 20;
const RACERS: u8 = 4;

fn create(s3: &S3, bucket: &str, path: &Path, body: Vec<u8>) -> object_store::Result<()> {
    let created = async { store(s3, bucket).put_opts(path, body.into(), PutOptions::from(PutMode::Create)).await };
    block_on(created).map(|_| ())
}

fn read(s3: &S3, bucket: &str, path: &Path) -> Vec<u8> {
    block_on(async { store(s3, bucket).get(path).await.unwrap().bytes().await.unwrap().to_vec() })
}

#[test]
fn an_s3_server_creates_an_object_only_if_it_is_absent() {
    for s3 in [S3::shared(), S3::shared_on_disk()] {
        s3.create_bucket(BUCKET);
        let path = Path::from("a");
        create(s3, BUCKET, &path, b"one".to_vec()).unwrap();
        let second = create(s3, BUCKET, &path, b"two".to_vec()).unwrap_err();
        assert!(matches!(second, object_store::Error::AlreadyExists { .. }), "{second}");
        assert_eq!(read(s3, BUCKET, &path), b"one");
    }
}

/// Not moto: it looks first and writes then.
#[test]
fn of_many_that_create_an_object_at_once_in_the_s3_server_on_disk_one_has_done_it() {
    let s3 = S3::shared_on_disk();
    s3.create_bucket(RACED);
    for race in 0..RACES {
        let path = Path::from(format!("race/{race}"));
        let barrier = Barrier::new(usize::from(RACERS));
        let body = |racer: u8| vec![racer; 100_000];
        let write = &|racer: u8| {
            barrier.wait();
            create(s3, RACED, &path, body(racer))
        };
        let outcomes: Vec<_> = thread::scope(|scope| {
            let racers: Vec<_> = (0..RACERS).map(|racer| scope.spawn(move || write(racer))).collect();
            racers.into_iter().map(|racer| racer.join().unwrap()).collect()
        });
        let winners: Vec<u8> = (0..RACERS).filter(|racer| outcomes[usize::from(*racer)].is_ok()).collect();
        assert_eq!(winners.len(), 1, "{outcomes:?}");
        for error in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
            assert!(matches!(error, object_store::Error::AlreadyExists { .. }), "{error}");
        }
        assert!(read(s3, RACED, &path) == body(winners[0]), "the object is another's");
    }
}
