//! Kills in the middle of a snapshot.

use serde_json::json;

use super::capture::SOON;
use super::postgres::Items;
use crate::rounds::rounds;
use crate::testbed::{Postgres, wait_until};

#[test]
fn a_snapshot_that_is_killed_with_its_host_or_its_worker_begins_again_and_loses_no_row_and_no_change() {
    let server = Postgres::start();
    let rows = 20_000 * rounds(1);
    // the database takes its time, so that there is a middle
    let slow = "SELECT * FROM items WHERE id % 100 <> 0 OR pg_sleep(0.02)::text IS NOT NULL";
    let more = json!({
        "snapshot.fetch.size": "1000",
        "snapshot.select.statement.overrides": "public.items",
        "snapshot.select.statement.overrides.public.items": slow,
    });
    let mut items = Items::new(&server, rows as i64, &more);
    let mut before = 0;
    for killed in ["host", "worker"] {
        let topic = &items.capture.topic;
        wait_until(SOON, "there is a topic", || items.capture.kafka.admin().topic(topic).unwrap());
        items.capture.kafka.await_committed(topic, rows / 4, SOON);
        match killed {
            "host" => items.capture.kill_host(),
            _ => items.capture.kill_worker(),
        }
        let now = items.capture.messages().len();
        assert!(now - before < rows, "the {killed} was killed when the snapshot was complete: {now} - {before}");
        before = now;
        // no deletions: of those a snapshot that begins again knows nothing
        let statements = [items.changes.insert(200), items.changes.update(400)].concat();
        items.database.sql(&statements);
        match killed {
            "host" => items.capture.restart_failed(),
            _ => items.capture.start_worker_again(),
        }
    }
    items.await_equal("the snapshot");
    items.change();
    items.await_equal("the changes behind it");
}
