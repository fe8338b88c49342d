//! The key `path`: which files below `store.url` are read.
//!
//! | in the pattern | stands for |
//! |---|---|
//! | `*` | any letters of one name |
//! | `?` | one letter of a name |
//! | `**` as a whole name | any directories, also none |
//!
//! A pattern without these that does not end with a known extension is a directory: everything below it. As in a shell, names
//! that begin with `.` are matched only where the pattern says so; here those that begin with `_` are too. But the sink makes
//! directories of topics and values that begin with `_`, and `__HIVE_DEFAULT_PARTITION__`: its files are found there.

use super::file_name::SinkName;
use super::read::FileFormat;

/// What hidden names begin with.
const HIDDEN: &[char] = &['.', '_'];
/// The same for files of the sink.
const HIDDEN_FROM_ALL: &[char] = &['.'];

/// A pattern of paths.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct PathPattern {
    names: Vec<NamePattern>,
    /// Between topic, partition and offset in the names of the sink's files.
    delimiter: String,
    /// Whether files match whose names tell no format.
    takes_any_format: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum NamePattern {
    AnyDirectories,
    Name(Vec<char>),
}

impl PathPattern {
    /// Reads a pattern; the empty one stands for all files. `delimiter`: that of the sink's `file.delim`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(text: &str, delimiter: &str) -> Result<Self, String> {
        let text = text.trim_matches('/');
        let mut names = Vec::new();
        for name in text.split('/').filter(|_| !text.is_empty()) {
            match name {
                "" | "." | ".." => {
                    return Err("a path of plain names below `store.url`, parted by /, is needed".to_owned());
                }
                "**" => names.push(NamePattern::AnyDirectories),
                name if name.contains("**") => return Err("`**` stands for directories: put / around it".to_owned()),
                name => names.push(NamePattern::Name(name.chars().collect())),
            }
        }
        let is_directory = names.iter().all(NamePattern::is_plain) && FileFormat::of_name(text).is_none();
        if is_directory {
            names.push(NamePattern::AnyDirectories);
        }
        Ok(Self { names, delimiter: delimiter.to_owned(), takes_any_format: true })
    }

    /// The same for files whose names tell a format that is known.
    pub(super) fn of_known_formats(self) -> Self {
        Self { takes_any_format: false, ..self }
    }

    /// The directory that holds all files that match, without a slash at either end; may be empty.
    pub(super) fn directory(&self) -> String {
        let above = self.names.len().saturating_sub(1);
        let plain = self.names[..above].iter().map_while(|name| match name {
            NamePattern::Name(letters) if name.is_plain() => Some(letters.iter().collect::<String>()),
            _ => None,
        });
        plain.collect::<Vec<_>>().join("/")
    }

    /// Whether the file at `path` matches. Those of the sink with the keys or headers of another file's values do not.
    pub(super) fn matches(&self, path: &str) -> bool {
        if !self.takes_any_format && FileFormat::of_name(path).is_none() {
            return false;
        }
        let hidden = match SinkName::of(path, &self.delimiter) {
            Some(name) if name.is_beside_values() => return false,
            Some(_) => HIDDEN_FROM_ALL,
            None => HIDDEN,
        };
        matches_names(&self.names, &path.split('/').collect::<Vec<_>>(), hidden, false)
    }

    /// Whether files below `directory` may match.
    pub(super) fn may_match_below(&self, directory: &str) -> bool {
        let names: Vec<_> = directory.split('/').filter(|name| !name.is_empty()).collect();
        matches_names(&self.names, &names, HIDDEN_FROM_ALL, true)
    }
}

impl NamePattern {
    fn is_plain(&self) -> bool {
        matches!(self, Self::Name(letters) if !letters.iter().any(|letter| matches!(letter, '*' | '?')))
    }
}

/// Whether a path matches, or with `is_beginning` whether it may be the beginning of one that does. Names that begin with a letter
/// of `hidden` match only where the pattern says so.
fn matches_names(pattern: &[NamePattern], path: &[&str], hidden: &[char], is_beginning: bool) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (None, rest) => rest.is_none(),
        (Some(_), None) => is_beginning || pattern.iter().all(|name| *name == NamePattern::AnyDirectories),
        (Some((NamePattern::AnyDirectories, rest)), Some((name, below))) => {
            matches_names(rest, path, hidden, is_beginning)
                || (!name.starts_with(hidden) && matches_names(pattern, below, hidden, is_beginning))
        }
        (Some((NamePattern::Name(letters), rest)), Some((name, below))) => {
            matches_name(letters, name, hidden) && matches_names(rest, below, hidden, is_beginning)
        }
    }
}

fn matches_name(pattern: &[char], name: &str, hidden: &[char]) -> bool {
    if name.starts_with(hidden) && pattern.first().copied() != name.chars().next() {
        return false;
    }
    let name: Vec<char> = name.chars().collect();
    let (mut at, mut place) = (0, 0);
    // where the last `*` stands, and the letter up to which it was tried
    let mut star: Option<(usize, usize)> = None;
    while place < name.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, place));
                at += 1;
            }
            Some(letter) if *letter == '?' || *letter == name[place] => {
                at += 1;
                place += 1;
            }
            _ => {
                let Some((star_at, tried)) = star else { return false };
                star = Some((star_at, tried + 1));
                at = star_at + 1;
                place = tried + 1;
            }
        }
    }
    pattern[at..].iter().all(|letter| *letter == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> PathPattern {
        PathPattern::parse(text, "+").unwrap()
    }

    #[test]
    fn wildcards_stand_for_letters_and_directories() {
        let cases = [
            ("topics/orders/**/*.parquet", "topics/orders/a/b/x.parquet", true),
            ("topics/orders/**/*.parquet", "topics/orders/x.parquet", true),
            ("topics/orders/**/*.parquet", "topics/other/x.parquet", false),
            ("topics/*/x.json", "topics/a/b/x.json", false),
            ("**/p?.csv", "p1.csv", true),
            ("**/p?.csv", "a/p.csv", false),
            ("*a*b*.json", "xxaxxbabx.json", true),
            ("*a*b*.json", "xxbxxa.json", false),
            ("**", "a/b", true),
            ("**/tail/**/x", "a/tail/b/tail/x", true),
            ("größe ?/*", "größe ü/x.json", true),
        ];
        for (text, path, expected) in cases {
            assert_eq!(pattern(text).matches(path), expected, "{text} {path}");
        }
    }

    #[test]
    fn no_pattern_and_a_directory_are_everything_below() {
        assert!(pattern("").matches("a/b/c.json") && pattern("/").matches("c.json"));
        assert!(pattern("topics/orders.v1").matches("topics/orders.v1/partition=0/x.json"));
        assert!(!pattern("topics/orders").matches("topics/orders2/x.json"));
        assert!(pattern("a/x.json.gz").matches("a/x.json.gz") && !pattern("a/x.json.gz").matches("a/x.json.gz/y"));
    }

    #[test]
    fn hidden_names_are_matched_only_where_they_are_named() {
        for path in ["_SUCCESS", "a/.tmp/x.json", "a/_x.json", "_a/x.json", ".x.json"] {
            assert!(
                !pattern("").matches(path) && !pattern("**/*").matches(path) && !pattern("*").matches(path),
                "{path}"
            );
        }
        assert!(pattern("topics/_internal").matches("topics/_internal/x.json"));
        assert!(pattern("_*/x.json").matches("_a/x.json") && !pattern("?a/x.json").matches("_a/x.json"));
        assert!(!pattern("a").may_match_below("a/.snapshot") && pattern("a").may_match_below("a/b/c"));
    }

    #[test]
    fn files_of_the_sink_are_found_in_the_directories_that_it_makes() {
        for path in ["_t/partition=0/_t+0+0000000000.json", "t/__HIVE_DEFAULT_PARTITION__/t+0+0000000000.parquet"] {
            assert!(pattern("").matches(path) && pattern("**/*.*").matches(path), "{path}");
        }
        assert!(!pattern("").matches(".snapshot/t/t+0+0000000000.json"));
        assert!(!pattern("").matches("t/partition=0/t+0+0000000000.keys.json"));
    }

    #[test]
    fn files_without_a_format_match_unless_one_has_to_be_known() {
        assert!(pattern("").matches("a/x.log") && !pattern("").of_known_formats().matches("a/x.log"));
        assert!(pattern("").of_known_formats().matches("a/x.json.gz"));
    }

    #[test]
    fn only_what_may_hold_files_is_listed() {
        let directories =
            [("", ""), ("a/b", "a/b"), ("a/b/*.csv", "a/b"), ("a/*/c/d.csv", "a"), ("**/x", ""), ("x.csv", "")];
        for (text, expected) in directories {
            assert_eq!(pattern(text).directory(), expected, "{text}");
        }
        assert!(pattern("a/*/c/x").may_match_below("a/b") && !pattern("a/*/c/x").may_match_below("a/b/d"));
        assert!(pattern("a/b/**").may_match_below("") && pattern("a/b/**").may_match_below("a"));
    }

    #[test]
    fn paths_that_lead_elsewhere_are_refused() {
        for text in ["../x", "a//b", "a/./b", "a**/b"] {
            assert!(PathPattern::parse(text, "+").is_err(), "{text}");
        }
    }
}
