//! Paths and names of files.

use serde_json::json;

use super::reading::{Stored, config, read_all, values, write};

#[test]
fn odd_names_are_read_and_stand_in_the_offsets_as_they_are() {
    let root = tempfile::tempdir().unwrap();
    let paths = ["a%2Fb/x.json", "größe=ü/ leading.json", "a b/+#?&.json", "plus+1/x.json", "*/x.json"];
    for path in paths {
        write(root.path(), path, json!({ "path": path }).to_string());
    }
    let seen = read_all(&config(root.path(), &[]), &Stored::new());
    let mut files = seen.files();
    files.sort();
    let mut expected = paths.to_vec();
    expected.sort_unstable();
    assert_eq!(files, expected);
    for (value, batch) in seen.values().iter().zip(seen.batches.iter().filter(|batch| !batch.records.is_empty())) {
        assert_eq!(value["path"], batch.partition["file"]);
    }
    let read = values(&config(root.path(), &[("path", "a%2Fb/*.json")]));
    assert_eq!(read, [json!({"path": "a%2Fb/x.json"})]);
}

#[test]
fn only_files_of_the_pattern_are_read_and_hidden_ones_are_not() {
    let root = tempfile::tempdir().unwrap();
    for path in [
        "topics/a/partition=0/a+0+0000000000.json",
        "topics/a/partition=0/a+0+0000000000.keys.json",
        "topics/a/_temporary/x.json",
        "topics/a/.hidden.json",
        "topics/a/_SUCCESS",
        "topics/b/x.json",
        "notes.txt",
    ] {
        write(root.path(), path, "{\"n\":1}\n");
    }
    let files = |path: &str| read_all(&config(root.path(), &[("path", path)]), &Stored::new()).files();
    let of_a = "topics/a/partition=0/a+0+0000000000.json";
    assert_eq!(files("topics/a"), [of_a]);
    assert_eq!(files(""), [of_a, "topics/b/x.json"]);
    assert_eq!(files("topics/*/x.json"), ["topics/b/x.json"]);
    assert!(files("nowhere/**").is_empty());
}

#[test]
fn a_file_without_a_topic_fails_where_paths_name_topics() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "topics/a/x.json", "1");
    write(root.path(), "x.json", "2");
    let config = config(root.path(), &[("topic", "{topic}")]);
    let seen = read_all(&config, &Stored::new());
    let error = seen.error.unwrap().to_string();
    assert!(error.contains("`x.json`") && error.contains("topics.dir"), "{error}");
}

#[test]
fn links_to_files_are_followed_and_circles_are_not() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "a/x.json", "1");
    std::os::unix::fs::symlink(root.path().join("a/x.json"), root.path().join("a/y.json")).unwrap();
    std::os::unix::fs::symlink(root.path(), root.path().join("a/circle")).unwrap();
    std::os::unix::fs::symlink("nowhere", root.path().join("a/z.json")).unwrap();
    assert_eq!(read_all(&config(root.path(), &[]), &Stored::new()).files(), ["a/x.json", "a/y.json"]);
}
