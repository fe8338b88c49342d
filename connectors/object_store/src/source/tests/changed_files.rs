//! Files that are replaced or deleted.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use super::reading::{Seen, Stored, config, next_batches, read_all, read_for, started, write};

fn lines(first: i64, len: i64) -> String {
    (first..first + len).map(|id| format!("{{\"id\":{id}}}\n")).collect()
}

fn ids(seen: &Seen) -> Vec<i64> {
    seen.values().iter().map(|value| value["id"].as_i64().unwrap()).collect()
}

/// Reads two rows of a file, lets `change` happen, and reads on.
fn changed(on_changed: &str, path: &str, contents: &str, change: impl Fn(&Path)) -> (Seen, Seen) {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), path, contents);
    let config = config(root.path(), &[("batch.max.rows", "2"), ("on.changed.file", on_changed)]);
    let mut task = started(&config, &Stored::new());
    let before = read_for(&mut task, 1);
    assert_eq!(ids(&before), [0, 1]);
    change(root.path());
    (before, read_for(&mut task, 1_000_000))
}

/// Larger than what is read at once, so that the change is met while the file is read.
fn large() -> String {
    let padding = " ".repeat(1_000_000);
    (0..9).map(|id| format!("{{\"id\":{id}}}{padding}\n")).collect()
}

#[test]
fn a_file_that_is_replaced_while_it_is_read_is_noticed() {
    let replace = |root: &Path| write(root, "x.json", lines(100, 3));
    let (_, after) = changed("fail", "x.json", &large(), replace);
    let error = after.error.as_ref().unwrap().to_string();
    assert!(error.contains("`x.json`") && error.contains("on.changed.file"), "{error}");
    let (_, after) = changed("restart", "x.json", &large(), replace);
    assert!(after.error.is_none() && ids(&after).ends_with(&[100, 101, 102]), "{after:?}");
    let (_, after) = changed("ignore", "x.json", &large(), |root| write(root, "x.json", large().replace("id", "ID")));
    let good: Vec<Value> = after.values();
    assert!(after.error.is_none() && good.last() == Some(&json!({"ID": 8})) && good.len() == 7, "{good:?}");
}

#[test]
fn a_file_that_is_replaced_while_the_task_is_down_is_noticed() {
    for done in [false, true] {
        let root = tempfile::tempdir().unwrap();
        write(root.path(), "x.json", lines(0, 4));
        let with = |on_changed| config(root.path(), &[("batch.max.rows", "2"), ("on.changed.file", on_changed)]);
        let seen = read_for(&mut started(&with("fail"), &Stored::new()), if done { 100 } else { 1 });
        let stored = seen.offsets(&Stored::new());
        write(root.path(), "x.json", lines(100, 3));
        assert!(read_all(&with("fail"), &stored).error.unwrap().to_string().contains("`x.json`"));
        assert_eq!(ids(&read_all(&with("restart"), &stored)), [100, 101, 102]);
        let ignoring = read_all(&with("ignore"), &stored);
        assert_eq!(ids(&ignoring), if done { vec![] } else { vec![102] });
    }
}

#[test]
fn a_file_that_is_replaced_before_it_is_read_is_read_as_it_is() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "a.json", lines(0, 2));
    write(root.path(), "b.json", lines(10, 2));
    let mut task = started(&config(root.path(), &[]), &Stored::new());
    let begun = read_for(&mut task, 1);
    write(root.path(), "b.json", lines(20, 3));
    let rest = read_for(&mut task, 100);
    assert_eq!([ids(&begun), ids(&rest)].concat(), [0, 1, 20, 21, 22]);
    // and its offset is that of what was read
    assert!(read_all(&config(root.path(), &[]), &rest.offsets(&begun.offsets(&Stored::new()))).batches.is_empty());
}

#[test]
fn a_file_that_is_gone_is_passed_over() {
    let root = tempfile::tempdir().unwrap();
    for (number, name) in ["a.json", "b.json", "c.json"].into_iter().enumerate() {
        write(root.path(), name, lines(10 * number as i64, 2));
    }
    let mut task = started(&config(root.path(), &[]), &Stored::new());
    let begun = read_for(&mut task, 1);
    fs::remove_file(root.path().join("b.json")).unwrap();
    let rest = read_for(&mut task, 100);
    assert!(rest.error.is_none(), "{:?}", rest.error);
    assert_eq!([ids(&begun), ids(&rest)].concat(), [0, 1, 20, 21]);
}

#[test]
fn a_file_without_rows_is_read_when_it_has_some_and_is_no_changed_file() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "a.json", "");
    write(root.path(), "b.json", lines(0, 2));
    let once = config(root.path(), &[]);
    let stored = read_all(&once, &Stored::new()).offsets(&Stored::new());
    let mut watching =
        started(&config(root.path(), &[("volley.mode", "continuous"), ("watch.interval.ms", "1")]), &Stored::new());
    let mut next_ids = || loop {
        let seen = Seen { batches: next_batches(&mut watching).unwrap(), error: None };
        // the end of a file comes without rows
        if !seen.values().is_empty() {
            return ids(&seen);
        }
    };
    assert_eq!(next_ids(), [0, 1]);
    write(root.path(), "a.json", lines(5, 2));
    assert_eq!(next_ids(), [5, 6]);
    // also after a restart
    assert_eq!(ids(&read_all(&once, &stored)), [5, 6]);
}

#[test]
fn a_file_that_grows_all_the_time_holds_up_no_other() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "a.json", lines(0, 1));
    write(root.path(), "b.json", lines(100, 1));
    let is_over = Arc::new(AtomicBool::new(false));
    let writer = {
        let (is_over, path) = (Arc::clone(&is_over), root.path().join("a.json"));
        let mut file = fs::OpenOptions::new().append(true).open(path).unwrap();
        std::thread::spawn(move || {
            while !is_over.load(Ordering::Relaxed) {
                file.write_all(b"\n").unwrap();
            }
        })
    };
    let seen = read_all(&config(root.path(), &[("on.changed.file", "restart")]), &Stored::new());
    is_over.store(true, Ordering::Relaxed);
    writer.join().unwrap();
    assert!(seen.error.is_none() && ids(&seen).last() == Some(&100), "{:?}", seen.error);
}
