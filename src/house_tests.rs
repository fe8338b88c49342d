//! What holds for the source tree itself, so that it stays as easy to read as it is.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Lines of a file, of tests too.
const LONGEST_FILE: usize = 600;
/// Files of Rust directly in a folder.
const FULLEST_FOLDER: usize = 20;
/// Folders that may have more, each with its reason.
const FULL_FOLDERS: [(&str, &str); 1] = [("tests", "one list of subjects, each with its tests")];

const ROOTS: [&str; 7] = ["benches", "connectors", "engine", "examples", "sql", "src", "tests"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files of Rust, relative to the root.
fn sources() -> Vec<PathBuf> {
    let mut sources = Vec::new();
    let mut folders: Vec<PathBuf> = ROOTS.iter().map(PathBuf::from).collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root().join(&folder)).expect("a folder of the source tree") {
            let path = folder.join(entry.expect("an entry of it").file_name());
            if root().join(&path).is_dir() {
                folders.extend((path.file_name() != Some("target".as_ref())).then_some(path));
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                sources.push(path);
            }
        }
    }
    sources
}

fn text(path: &Path) -> String {
    fs::read_to_string(root().join(path)).expect("a text of the source tree")
}

#[test]
fn no_file_is_longer_than_one_can_keep_in_mind() {
    let long: Vec<_> = sources()
        .into_iter()
        .map(|path| (text(&path).lines().count(), path))
        .filter(|(lines, _)| *lines > LONGEST_FILE)
        .collect();
    assert!(long.is_empty(), "more than {LONGEST_FILE} lines; split them by noun: {long:?}");
}

#[test]
fn no_folder_has_more_files_than_one_can_keep_in_mind() {
    let mut folders: BTreeMap<PathBuf, usize> = BTreeMap::new();
    for path in sources() {
        *folders.entry(path.parent().expect("a folder").to_owned()).or_default() += 1;
    }
    let is_full = |(_, files): &(PathBuf, usize)| *files > FULLEST_FOLDER;
    let (full, roomy): (Vec<_>, Vec<_>) = folders.into_iter().partition(is_full);
    let is_excepted = |folder: &Path| FULL_FOLDERS.iter().any(|(known, _)| Path::new(known) == folder);
    let full: Vec<_> = full.into_iter().filter(|(folder, _)| !is_excepted(folder)).collect();
    assert!(full.is_empty(), "more than {FULLEST_FOLDER} files; give what belongs together a folder: {full:?}");
    let needless: Vec<_> = roomy.iter().filter(|(folder, _)| is_excepted(folder)).collect();
    assert!(needless.is_empty(), "no exceptions any more: {needless:?}");
}

/// What stands in backticks in a text of Markdown, code blocks left out.
fn quoted(markdown: &str) -> Vec<&str> {
    markdown.split("```").step_by(2).flat_map(|prose| prose.split('`').skip(1).step_by(2)).collect()
}

#[test]
fn the_files_that_the_architecture_names_are_there() {
    let architecture = text(Path::new("ARCHITECTURE.md"));
    let is_path = |name: &&str| {
        let is_rooted = ROOTS.iter().any(|root| name.starts_with(&format!("{root}/")));
        (is_rooted || name.contains('/') && name.ends_with(".rs")) && !name.contains([' ', '<', '*'])
    };
    let sources = sources();
    // a path may begin in the folder of a crate that the text is about
    let is_there = |path: &str| root().join(path).exists() || sources.iter().any(|source| source.ends_with(path));
    let missing: Vec<_> = quoted(&architecture).into_iter().filter(is_path).filter(|path| !is_there(path)).collect();
    assert!(missing.is_empty(), "ARCHITECTURE.md names what is not there: {missing:?}");
}

#[test]
fn the_laws_name_tests_that_are_there() {
    let architecture = text(Path::new("ARCHITECTURE.md"));
    let laws = architecture.split("\n## ").find(|section| section.starts_with("Laws")).expect("a section on the laws");
    let is_test = |name: &&str| name.contains('_') && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let mut named: BTreeSet<&str> = quoted(laws).into_iter().filter(is_test).collect();
    assert!(named.len() > 30, "the laws name tests: {named:?}");
    for path in sources() {
        let source = text(&path);
        named.retain(|name| !source.contains(&format!("fn {name}(")));
    }
    assert!(named.is_empty(), "laws without their tests: {named:?}");
}
