//! What Jayway's JsonPath answers, compared: `tests/java/JsonPathReference.java` wrote it down.

use std::collections::BTreeMap;

use volley_api::{Records, Side};

use super::{Found, JsonPath};
use crate::columns::ColumnReader;
use crate::test_records::plain;

const CASES: &str = include_str!("testdata/json_path.tsv");

struct Case {
    document: &'static str,
    answer: &'static str,
    differs: bool,
}

fn cases() -> BTreeMap<&'static str, Vec<Case>> {
    let mut cases: BTreeMap<&str, Vec<Case>> = BTreeMap::new();
    for line in CASES.lines() {
        let parts: Vec<&str> = line.split('\t').collect();
        let case = Case { document: parts[1], answer: parts[2], differs: parts.len() > 3 };
        cases.entry(parts[0]).or_default().push(case);
    }
    cases
}

fn found(path: &JsonPath, records: &Records) -> Vec<&'static str> {
    let mut reader = ColumnReader::new(Side::Value, ["C"; 2]);
    let found = reader.each_row(records, |name| path.looks_into(name), |column| path.find(column)).unwrap();
    let told = |found| match found {
        Found::Something => "something",
        Found::NoMatch => "no match",
        Found::Missing => "missing",
    };
    found.into_iter().map(told).collect()
}

#[test]
fn paths_find_what_jayway_finds_alone_and_among_others() {
    let mut wrong = Vec::new();
    for (text, cases) in cases() {
        let path = match JsonPath::parse(text) {
            Ok(path) => path,
            Err(reason) => {
                wrong.extend((cases[0].answer != "refused").then(|| format!("{text} is refused: {reason}")));
                continue;
            }
        };
        let documents: Vec<Option<&str>> = cases.iter().map(|case| Some(case.document)).collect();
        let together = found(&path, &plain(&documents));
        for (case, together) in cases.iter().zip(together) {
            let alone = found(&path, &plain(&[Some(case.document)]))[0];
            let is_same = alone == case.answer && together == case.answer;
            if is_same == case.differs {
                wrong
                    .push(format!("{text} in {}: {} but {alone}, {together} among others", case.document, case.answer));
            }
        }
    }
    assert!(wrong.is_empty(), "{} differences\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_is_not_accepted_is_refused_with_its_place() {
    for (text, expected) in [
        ("$..a", "`..` is not supported: name the fields on the way, at character 2 of `$..a`"),
        ("$.a[0:2]", "slices of lists are not supported, at character 6 of `$.a[0:2]`"),
        ("$['a','b']", "several names or places in one bracket are not supported, at character 6 of `$['a','b']`"),
        ("$.a.length()", "the function `length` is not supported, at character 11 of `$.a.length()`"),
        ("$[(@.length-1)]", "scripts are not supported, at character 3 of `$[(@.length-1)]`"),
        (
            "$[?(@.a == $.b)]",
            "a path from `$` within a condition is not supported: begin it with `@`, at character 12 of `$[?(@.a == $.b)]`",
        ),
        ("$[?(@.a == b)]", "no value: a text needs quotes, at character 12 of `$[?(@.a == b)]`"),
        (
            "$[?(@.a =~ /x/u)]",
            "flags of a regular expression are i, m, s and x, at character 15 of `$[?(@.a =~ /x/u)]`",
        ),
        (
            "$[?(@.a[*] == 1)]",
            "a path that leads to several places is not supported within a condition, at character 5 of `$[?(@.a[*] == 1)]`",
        ),
        (
            "$[?(@.ä like 'x')]",
            "neither an operator nor the end of the condition, at character 9 of `$[?(@.ä like 'x')]`",
        ),
        ("$.a b", "the path should end, at character 4 of `$.a b`"),
        ("", "the path is empty"),
    ] {
        assert_eq!(JsonPath::parse(text).unwrap_err(), expected);
    }
}

#[test]
fn a_path_that_is_nested_without_end_is_refused() {
    for text in [
        "$[?(".repeat(5_000),
        "[?(@".repeat(5_000),
        "$[?(!".to_owned() + &"!".repeat(100_000),
        "$[?".to_owned() + &"(".repeat(100_000),
    ] {
        assert!(JsonPath::parse(&text).is_err());
    }
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in r#"[\$@.\[\]?()!&|=~<>/'"a1 ,*:\\äin-]{0,24}"#) {
        let _ = JsonPath::parse(&text);
    }
}
