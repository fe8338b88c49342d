//! A file that is replaced or overwritten while it is read, and while it is not.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use arrow::array::AsArray;
use proptest::prelude::*;
use serde_json::Value;
use tempfile::TempDir;
use volley_api::testing::{config_map, source_context};
use volley_api::{PluginFactory, Polled, SourceOffset, SourceTask};

use super::source_plugin;

/// A source of `in.txt`, which stops and starts again at the offset of its last batch.
struct Reader {
    directory: TempDir,
    offset: Option<SourceOffset>,
    task: Option<Box<dyn SourceTask>>,
}

impl Reader {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap(), offset: None, task: None }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn file(&self) -> PathBuf {
        self.path("in.txt")
    }

    fn write(&self, text: &str) {
        fs::write(self.file(), text).unwrap();
    }

    fn append(&self, text: &str) {
        append(&self.file(), text);
    }

    fn rename_to(&self, name: &str) {
        fs::rename(self.file(), self.path(name)).unwrap();
    }

    fn stop(&mut self) {
        if let Some(mut task) = self.task.take() {
            task.stop();
        }
    }

    /// Whatever can be read now.
    fn lines(&mut self) -> Vec<String> {
        if self.task.is_none() {
            self.start();
        }
        let task = self.task.as_mut().unwrap();
        let mut lines = Vec::new();
        while let Polled::Batches(batches) = task.poll(Duration::ZERO).unwrap() {
            for batch in batches {
                lines.extend(batch.records.value.array.as_string::<i32>().iter().map(|line| line.unwrap().to_owned()));
                self.offset = Some(batch.offset);
            }
        }
        lines
    }

    fn start(&mut self) {
        let PluginFactory::Source { task, .. } = source_plugin().factory else { panic!("no source") };
        let config = config_map(&[("file", self.file().to_str().unwrap()), ("topic", "t")]);
        self.task = Some(task(source_context(0, self.offset.clone()), &config).unwrap());
    }

    /// As Java stores it.
    fn position_only(&mut self, position: u64) {
        self.offset = Some(SourceOffset::from_iter([("position".to_owned(), Value::from(position))]));
    }
}

fn append(path: &Path, text: &str) {
    File::options().create(true).append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

#[test]
fn a_file_that_is_renamed_away_is_read_to_its_end_and_then_the_new_one_from_its_beginning() {
    let mut reader = Reader::new();
    reader.write("one\ntwo\n");
    assert_eq!(reader.lines(), ["one", "two"]);
    reader.append("three\n");
    reader.rename_to("in.txt.1");
    append(&reader.path("in.txt.1"), "four\n");
    reader.write("");
    assert_eq!(reader.lines(), ["three", "four"]);
    // the writer has not been told yet
    append(&reader.path("in.txt.1"), "five\nsix, without its end");
    assert_eq!(reader.lines(), ["five"]);
    reader.append("seven\n");
    assert_eq!(reader.lines(), ["six, without its end", "seven"]);
    assert_eq!(reader.offset.as_ref().unwrap()["position"], 6);
}

#[test]
fn what_was_not_read_of_a_file_renamed_away_while_the_task_is_stopped_is_read_first() {
    for replacement in [None, Some(""), Some("new\n")] {
        let mut reader = Reader::new();
        reader.write("one\n");
        assert_eq!(reader.lines(), ["one"]);
        reader.stop();
        reader.append("two\n");
        reader.rename_to("in.txt.1");
        // what begins with the same bytes is not what was read
        fs::copy(reader.path("in.txt.1"), reader.path("copy.txt")).unwrap();
        append(&reader.path("copy.txt"), "never\n");
        replacement.inspect(|text| reader.write(text));
        let mut expected = vec!["two"];
        expected.extend(replacement.and_then(|text| text.lines().next()));
        assert_eq!(reader.lines(), expected, "{replacement:?}");
        reader.append("more\n");
        assert_eq!(reader.lines(), ["more"], "{replacement:?}");
    }
}

#[test]
fn behind_a_link_files_are_followed_where_it_leads_to() {
    for stopped in [false, true] {
        let mut reader = Reader::new();
        fs::create_dir(reader.path("pods")).unwrap();
        let target = reader.path("pods/0.log");
        fs::write(&target, "one\n").unwrap();
        std::os::unix::fs::symlink(&target, reader.file()).unwrap();
        assert_eq!(reader.lines(), ["one"]);
        if stopped {
            reader.stop();
        }
        append(&target, "two\n");
        fs::rename(&target, reader.path("pods/0.log.old")).unwrap();
        fs::write(&target, "three\n").unwrap();
        assert_eq!(reader.lines(), ["two", "three"], "stopped: {stopped}");
        let next = reader.path("pods/1.log");
        fs::write(&next, "four\n").unwrap();
        fs::remove_file(reader.file()).unwrap();
        std::os::unix::fs::symlink(&next, reader.file()).unwrap();
        assert_eq!(reader.lines(), ["four"], "stopped: {stopped}");
    }
}

/// What may be done to a file of `before`, which has been read, and the lines that are then to come.
const CHANGES: [(&str, &str, &str, &[&str]); 5] = [
    ("shorter", "aaa\nbbb\nccc\n", "x\n", &["x"]),
    ("same length", "aaa\nbbb\n", "ccc\nddd\n", &["ccc", "ddd"]),
    ("longer", "aaa\nbbb\n", "first, longer\nsecond\n", &["first, longer", "second"]),
    ("after half a line", "aaa\nbb", "xxxxxxx\nyyyyyy\n", &["xxxxxxx", "yyyyyy"]),
    ("empty at first", "aaa\n", "", &[]),
];

#[test]
fn a_file_that_is_overwritten_or_replaced_is_read_from_its_beginning() {
    for stopped in [false, true] {
        for (change, before, after, expected) in CHANGES {
            for way in ["in place", "renamed over", "deleted and made again"] {
                let mut reader = Reader::new();
                reader.write(before);
                reader.lines();
                if stopped {
                    reader.stop();
                }
                match way {
                    "in place" => reader.write(after),
                    "renamed over" => {
                        fs::write(reader.path("new"), after).unwrap();
                        fs::rename(reader.path("new"), reader.file()).unwrap();
                    }
                    _ => {
                        fs::remove_file(reader.file()).unwrap();
                        reader.write(after);
                    }
                }
                let case = format!("{change}, {way}, stopped: {stopped}");
                let mut lines = reader.lines();
                // A line without its end is one once another file has taken its place; overwritten, it is gone.
                if before == "aaa\nbb" && !stopped && way != "in place" {
                    assert_eq!(lines.remove(0), "bb", "{case}");
                }
                assert_eq!(lines, expected, "{case}");
                reader.append("last\n");
                assert_eq!(reader.lines(), ["last"], "{case}");
            }
        }
    }
}

#[test]
fn a_position_without_a_file_holds_for_the_file_that_is_there() {
    let mut reader = Reader::new();
    reader.write("one\ntwo\n");
    reader.position_only(4);
    assert_eq!(reader.lines(), ["two"]);
    reader.stop();
    // there is no such position: it was another file
    reader.position_only(9);
    assert_eq!(reader.lines(), ["one", "two"]);
}

#[test]
fn a_position_that_is_set_beside_the_file_that_was_read_holds_for_that_file() {
    let mut reader = Reader::new();
    reader.write("one\ntwo\n");
    reader.lines();
    for other in [false, true] {
        reader.stop();
        reader.offset.as_mut().unwrap().insert("position".to_owned(), Value::from(4));
        if other {
            reader.write("six\nten\n");
        }
        assert_eq!(reader.lines(), if other { &["six", "ten"][..] } else { &["two"] });
    }
}

#[derive(Clone, Debug)]
enum Step {
    Append(String),
    /// Renames the file away with a line that has not been read, and makes a new one.
    Rotate,
    /// Reads what there is first, as what is overwritten cannot be read.
    Truncate,
    Restart,
    Read,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => "[a-c]{0,3}\n?".prop_map(Step::Append),
        1 => Just(Step::Rotate),
        1 => Just(Step::Truncate),
        1 => Just(Step::Restart),
        3 => Just(Step::Read),
    ];
    prop::collection::vec(step, 0..30)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn whatever_becomes_of_the_file_every_line_comes_once_and_whole(steps in steps()) {
        let mut reader = Reader::new();
        reader.write("");
        let (mut found, mut expected, mut number, mut rotated) = (Vec::new(), Vec::new(), 0, 0);
        // the part of a line that stands at the end of the file
        let mut part = String::new();
        for step in steps.into_iter().chain([Step::Read]) {
            match step {
                Step::Append(text) => {
                    let text = if part.is_empty() { format!("{number} {text}") } else { text };
                    number += 1;
                    reader.append(&text);
                    part.push_str(&text);
                    if part.ends_with('\n') {
                        expected.push(std::mem::take(&mut part).trim_end_matches('\n').to_owned());
                    }
                }
                // Read before, as one file back is looked for, and only of what was read.
                Step::Rotate => {
                    reader.append(&format!("\n{number} read\n"));
                    expected.extend([std::mem::take(&mut part), format!("{number} read")]);
                    found.extend(reader.lines());
                    reader.append(&format!("{number} not read\n"));
                    rotated += 1;
                    reader.rename_to(&format!("in.txt.{rotated}"));
                    reader.write(&format!("{number} new\n"));
                    expected.extend([format!("{number} not read"), format!("{number} new")]);
                    number += 1;
                }
                Step::Truncate => {
                    found.extend(reader.lines());
                    part.clear();
                    reader.write("");
                }
                Step::Restart => reader.stop(),
                Step::Read => found.extend(reader.lines()),
            }
        }
        prop_assert_eq!(found, expected);
    }
}
