//! The quickstart works from nothing, and again on what it left.

use std::time::Duration;

use crate::worker_process::{Volley, parquet_files};

#[test]
fn the_quickstart_drains_its_records_and_prints_the_result_twice_in_a_row() {
    let volley = Volley::new();
    for _ in 0..2 {
        let end = volley.run(Duration::from_secs(120), &["quickstart", "--records", "20000"]);
        assert!(end.status.success(), "{}\n{}", end.stdout, end.log);
        for text in ["20 000 orders", "COFFEE", "connector.class=ObjectStoreSink", "next:"] {
            assert!(end.stdout.contains(text), "`{text}` is missing:\n{}\n{}", end.stdout, end.log);
        }
        assert!(!parquet_files(&volley.path("volley-data")).is_empty());
    }
}

#[test]
fn the_quickstart_does_not_touch_a_directory_that_is_not_its_own() {
    let volley = Volley::new();
    std::fs::create_dir(volley.path("volley-data")).unwrap();
    std::fs::write(volley.path("volley-data/precious"), "mine").unwrap();
    let end = volley.run(Duration::from_secs(90), &["quickstart", "--records", "10"]);
    assert_eq!(end.status.code(), Some(2), "{}", end.log);
    assert_eq!(std::fs::read_to_string(volley.path("volley-data/precious")).unwrap(), "mine");
}
