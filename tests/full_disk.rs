//! Law 6 and law 1 on a disk that fills up.

use std::time::Duration;

use crate::delivered_rows::{assert_exactly_once, on_disk};
use crate::exactly_once::{PARTITIONS, drain, numbered_topic, produce_numbered};
use crate::rounds::kills;
use crate::testbed::{Kafka, SmallDisk, wait_until};
use crate::worker_process::{Running, Volley, failures, restart_failed};

const SOON: Duration = Duration::from_secs(120);
/// More than there is room for each time.
const MORE: i64 = 4_000;
const ROOM: u32 = 512;
const NO_SPACE: &str = "No space left on device";

fn sink(kafka: &Kafka, topic: &str, disk: &SmallDisk) -> Volley {
    let volley = Volley::new();
    volley.worker(&kafka.bootstrap_servers(), &[]);
    volley.file(
        "sink.properties",
        &[
            ("name", topic),
            ("connector.class", "ObjectStoreSink"),
            ("tasks.max", "2"),
            ("topics", topic),
            ("store.url", &format!("file://{}", disk.path().join("lake").display())),
            ("retry.backoff.ms", "50"),
            ("retry.timeout.ms", "1500"),
            ("flush.size", "101"),
            ("rotate.idle.ms", "300"),
        ],
    );
    volley
}

fn start(volley: &Volley) -> Running {
    volley.start(&["standalone", "worker.properties", "sink.properties"])
}

#[test]
fn a_full_disk_fails_the_task_with_the_cause_and_once_there_is_room_every_offset_is_in_one_file() {
    let disk = match SmallDisk::mount(ROOM) {
        Ok(disk) => disk,
        Err(reason) => return println!("passed over, since no file system can be mounted here: {reason}"),
    };
    let kafka = Kafka::shared();
    let topic = numbered_topic(kafka, 0);
    let volley = sink(kafka, &topic, &disk);
    let (mut room, mut produced) = (ROOM, 0);
    let mut worker = start(&volley);
    for kill in 0..kills(2) {
        produce_numbered(kafka, &topic, produced..produced + MORE);
        produced += MORE;
        let rest = worker.rest();
        for trace in failures(&rest, &topic, 2) {
            assert!(trace.contains(NO_SPACE) && trace.contains("`retry.timeout.ms`"), "{trace}");
        }
        restart_failed(&rest, &topic);
        if kill % 2 == 0 {
            // in the middle of its tries
            let tried = worker.log().matches(NO_SPACE).count();
            wait_until(SOON, "it tries again", || (worker.log().matches(NO_SPACE).count() > tried).then_some(()));
            worker.kill();
            worker = start(&volley);
        }
        // less than is left to be written, and no backlog that grows for ever
        room += 2 * ROOM;
        disk.resize(room);
    }
    worker.kill();
    disk.resize(room * 64);
    drain(&volley);
    assert_exactly_once(&on_disk(&disk.path().join("lake")), PARTITIONS, produced);
}
