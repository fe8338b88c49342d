//! JSON without schemas whose records disagree: each is transformed as what it is.

use std::sync::Arc;

use volley_api::testing::{config_map, raw_batch, records};
use volley_api::{Converter, ErrorKind, Records, RowIndex, Side, Transformation, Transformed, Unserialized};
use volley_converters::JsonConverter;
use volley_sql::Sql;

use crate::fixtures::sql;

/// A topic of JSON messages, read batch by batch.
struct Topic {
    converter: JsonConverter,
    next_offset: i64,
}

impl Topic {
    fn new() -> Self {
        Self { converter: converter(), next_offset: 0 }
    }

    /// The records of the next messages, one for each kind of value.
    fn records(&mut self, messages: &[String]) -> Vec<Records> {
        let first = self.next_offset;
        self.next_offset += messages.len() as i64;
        let batch = raw_batch("orders", 0, first, messages.iter().map(String::as_bytes));
        let converted = self.converter.to_connect(&batch, Side::Value).unwrap();
        assert!(converted.rejected.is_empty(), "{:?}", converted.rejected);
        let records = converted.runs.into_iter().map(|run| Records {
            kafka_partition: Some(0),
            rows: run.rows,
            origin: Some(Arc::clone(&batch.origin)),
            ..records("orders", run.column)
        });
        records.collect()
    }
}

fn converter() -> JsonConverter {
    JsonConverter::new(&config_map(&[("schemas.enable", "false")]), Side::Value).unwrap()
}

/// What came of a batch: offsets with values as JSON, and offsets of rejected records.
fn outcome(sql: &mut Sql, records: Vec<Records>) -> (Vec<(i64, String)>, Vec<i64>) {
    let (mut kept, mut bad) = (Vec::new(), Vec::new());
    for records in records {
        let origin = Arc::clone(records.origin.as_ref().unwrap());
        let Transformed { records, rejected } = sql.apply(records).unwrap();
        for part in &records {
            let texts = converter().from_connect(&Unserialized::new("orders", &part.value)).unwrap();
            assert!(texts.rejected.is_empty(), "{:?}", texts.rejected);
            kept.extend((0..part.len()).map(|row| {
                let text = String::from_utf8(texts.bytes.value(row).to_vec()).unwrap();
                (part.offset(row).unwrap(), text)
            }));
        }
        bad.extend(rejected.iter().map(|rejected| origin.offsets[rejected.row]));
    }
    kept.sort();
    bad.sort_unstable();
    (kept, bad)
}

/// All batches of `messages` through one transformation.
fn run(query: &str, messages: &[String], batch: usize) -> (Vec<(i64, String)>, Vec<i64>) {
    let (mut sql, mut topic) = (sql(query).unwrap(), Topic::new());
    let (mut kept, mut bad) = (Vec::new(), Vec::new());
    for messages in messages.chunks(batch) {
        let (more, worse) = outcome(&mut sql, topic.records(messages));
        kept.extend(more);
        bad.extend(worse);
    }
    (kept, bad)
}

fn texts(messages: &[&str]) -> Vec<String> {
    messages.iter().map(ToString::to_string).collect()
}

#[test]
fn one_number_among_texts_changes_nothing_for_the_texts() {
    let message = |n: usize| match n {
        1000 => r#"{"i":1000,"status":5}"#.to_owned(),
        n if n % 2 == 0 => format!(r#"{{"i":{n},"status":"paid"}}"#),
        n => format!(r#"{{"i":{n},"status":"cancelled"}}"#),
    };
    let messages: Vec<String> = (0..2_000).map(message).collect();
    for batch in [1, 100, 1_999, 2_000] {
        for (query, parity) in [
            ("SELECT i, status FROM records WHERE status = 'paid'", 0),
            ("SELECT i, status FROM records WHERE status <> 'paid'", 1),
            ("SELECT i, upper(status) AS status FROM records WHERE starts_with(status, 'can')", 1),
            (
                "SELECT i FROM records JOIN countries ON code = CASE status WHEN 'paid' THEN 'DE' END WHERE name = 'Germany'",
                0,
            ),
        ] {
            let (kept, bad) = run(query, &messages, batch);
            let good: Vec<i64> = kept.iter().map(|(offset, _)| *offset).filter(|offset| *offset != 1000).collect();
            let expected: Vec<i64> = (0..2_000).filter(|n| n % 2 == parity && *n != 1000).collect();
            assert_eq!(good, expected, "{query} in batches of {batch}");
            assert!(bad.is_empty() || bad == [1000], "{bad:?}");
            assert!(kept.iter().all(|(offset, text)| *offset == 1000 || !text.contains("\\\"")), "{:?}", kept[0]);
        }
    }
}

#[test]
fn a_value_for_which_the_query_cannot_be_planned_is_a_bad_record() {
    for (odd, others) in [
        (r#"{"amount":"n/a"}"#, r#"{"amount":3}"#),
        (r#"{"amount":9007199254740993}"#, r#"{"amount":0.5}"#),
        (r#"{"amount":{"value":1}}"#, r#"{"amount":3}"#),
        (r#"{"amount":[1]}"#, r#"{"amount":3}"#),
        ("\"heartbeat\"", r#"{"amount":3}"#),
        ("42", r#"{"amount":3}"#),
        ("[]", r#"{"amount":3}"#),
        ("true", r#"{"amount":3}"#),
    ] {
        for place in [0, 5, 9] {
            for batch in [1, 4, 10] {
                let mut messages = vec![others.to_owned(); 10];
                messages[place] = odd.to_owned();
                let (kept, bad) = run("SELECT amount * 2 AS amount FROM records", &messages, batch);
                let good = kept.iter().filter(|(offset, _)| *offset != place as i64);
                assert_eq!(good.count(), 9, "{odd} at {place} in batches of {batch}: {kept:?}");
                // A large integer fits as what it is.
                assert!(bad == [place as i64] || odd.contains("9007199254740993"), "{odd}: {bad:?}");
            }
        }
    }
}

#[test]
fn a_field_may_have_the_name_of_a_lookup_column_or_of_a_metadata_column() {
    let messages = texts(&[
        r#"{"country":"DE","name":"a","_key":"k"}"#,
        r#"{"country":"DE","name":5,"_key":7}"#,
        r#"{"country":"DE","name":"b","_key":"k"}"#,
    ]);
    for query in [
        "SELECT r.name FROM records r JOIN countries c ON r.country = c.code WHERE r.name = 'a'",
        "SELECT name FROM records WHERE \"value._key\" = 'k' AND name = 'a'",
    ] {
        let (kept, bad) = run(query, &messages, 3);
        assert!(bad.is_empty() || bad == [1], "{query}: {bad:?}");
        assert_eq!(kept, [(0, r#"{"name":"a"}"#.to_owned())], "{query}");
    }
}

#[test]
fn what_comes_first_may_be_the_odd_one() {
    let mut sql = sql("SELECT amount * 2 AS amount FROM records").unwrap();
    let mut topic = Topic::new();
    let (kept, bad) = outcome(&mut sql, topic.records(&texts(&["\"heartbeat\""])));
    assert_eq!((kept.len(), bad), (0, vec![0]));
    let (kept, bad) = outcome(&mut sql, topic.records(&texts(&[r#"{"amount":4}"#])));
    assert_eq!((kept, bad), (vec![(1, r#"{"amount":8}"#.to_owned())], vec![]));
}

#[test]
fn where_no_record_fits_the_task_fails_and_the_reason_names_a_record() {
    let messages = |count: usize| vec![r#"{"amount":"a"}"#.to_owned(); count];
    let query = "SELECT amount * 2 AS amount FROM records";
    // A few may be the odd ones.
    let (mut sql_of_few, mut topic) = (sql(query).unwrap(), Topic::new());
    assert_eq!(outcome(&mut sql_of_few, topic.records(&messages(3))).1, [0, 1, 2]);
    assert_eq!(outcome(&mut sql_of_few, topic.records(&messages(6))).1.len(), 6);
    let error = sql_of_few.apply(topic.records(&messages(1)).remove(0)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("offset 9 of orders-0"), "{error}");
    let error = sql(query).unwrap().apply(Topic::new().records(&messages(10)).remove(0)).unwrap_err();
    assert!(error.to_string().contains("Cannot coerce") && error.to_string().contains("offset 0"), "{error}");
    // Once one has fitted, all others are bad records.
    let (mut sql, mut topic) = (sql(query).unwrap(), Topic::new());
    let mut fitting = messages(200);
    fitting.push(r#"{"amount":1}"#.to_owned());
    assert_eq!(outcome(&mut sql, topic.records(&fitting)).1.len(), 200);
    assert_eq!(outcome(&mut sql, topic.records(&messages(200))).1.len(), 200);
}

#[test]
fn a_field_that_no_record_has_had_is_null_and_has_its_type_from_the_first_on() {
    for (query, first, later) in [
        ("SELECT i, coupon FROM records", r#"{"i":1}"#, r#"{"i":2,"coupon":"X"}"#),
        ("SELECT i, upper(coupon) AS coupon FROM records", r#"{"i":1}"#, r#"{"i":2,"coupon":"X"}"#),
        (
            "SELECT r.i, r.coupon FROM records r WHERE r.coupon IS NULL OR r.coupon LIKE 'X%'",
            r#"{"i":1}"#,
            r#"{"i":2,"coupon":"X"}"#,
        ),
        ("SELECT i, address.city AS coupon FROM records", r#"{"i":1}"#, r#"{"i":2,"coupon":"X"}"#),
        ("SELECT i, address['geo']['lat'] AS coupon FROM records", r#"{"i":1}"#, r#"{"i":2,"coupon":"X"}"#),
        ("SELECT i, items[1]['sku'] AS coupon FROM records", r#"{"i":1}"#, r#"{"i":2,"coupon":"X"}"#),
        (
            "SELECT i, c.name AS coupon FROM records LEFT JOIN countries c ON country = c.code",
            r#"{"i":1}"#,
            r#"{"i":2,"coupon":"X"}"#,
        ),
        ("SELECT i, array_length(tags) AS coupon FROM records", r#"{"i":1}"#, r#"{"i":2,"coupon":"X"}"#),
        ("SELECT i, amount * 2 + length(note) AS coupon FROM records", r#"{"i":1}"#, r#"{"i":2,"coupon":"X"}"#),
    ] {
        let later = match query {
            _ if query.contains("address.city") => r#"{"i":2,"address":{"city":"X"}}"#,
            _ if query.contains("geo") => r#"{"i":2,"address":{"geo":{"lat":"X"}}}"#,
            _ if query.contains("items") => r#"{"i":2,"items":[{"sku":"X"}]}"#,
            _ if query.contains("countries") => r#"{"i":2,"country":"DE"}"#,
            _ if query.contains("tags") => r#"{"i":2,"tags":["a","b"]}"#,
            _ if query.contains("note") => r#"{"i":2,"amount":3,"note":"ab"}"#,
            _ => later,
        };
        let (kept, bad) = run(query, &texts(&[first, later, first]), 1);
        assert!(bad.is_empty(), "{query}: {bad:?}");
        assert_eq!(kept.len(), 3, "{query}: {kept:?}");
        assert_eq!((kept[0].1.as_str(), kept[2].1.as_str()), (r#"{"i":1}"#, r#"{"i":1}"#), "{query}");
        assert!(kept[1].1.starts_with(r#"{"i":2,"coupon":"#), "{query}: {}", kept[1].1);
    }
}

#[test]
fn a_list_that_no_record_has_had_gives_no_rows() {
    let messages = texts(&[r#"{"i":1}"#, r#"{"i":2,"items":[{"n":1},{"n":2}]}"#, r#"{"i":3,"items":[]}"#]);
    for query in ["SELECT i, unnest(items)['n'] AS n FROM records", "SELECT i, unnest(items) AS n FROM records"] {
        let (kept, bad) = run(query, &messages, 1);
        assert!(bad.is_empty(), "{query}: {bad:?}");
        assert_eq!(kept.iter().map(|(offset, _)| *offset).collect::<Vec<_>>(), [1, 1], "{query}");
    }
}

#[test]
fn results_of_different_types_are_one_column_again() {
    let messages = texts(&[
        r#"{"i":1,"v":"a","o":{"x":1}}"#,
        r#"{"i":2,"v":5,"o":{"x":"s"}}"#,
        r#"{"i":3,"v":true,"o":[1]}"#,
        r#"{"i":4}"#,
    ]);
    let mut sql = sql("SELECT v, o.x, o FROM records WHERE i > 0").unwrap();
    let transformed = sql.apply(Topic::new().records(&messages).remove(0)).unwrap();
    assert_eq!(transformed.rejected.iter().map(|rejected| rejected.row).collect::<Vec<_>>(), [2]);
    let field = &transformed.records[0].value.field;
    assert!(transformed.records.iter().all(|part| &part.value.field == field));
    let (kept, _) = run("SELECT v, o FROM records WHERE i > 0", &messages, 4);
    let expected = [r#"{"v":"a","o":{"x":1}}"#, r#"{"v":5,"o":{"x":"s"}}"#, r#"{"v":true,"o":[1]}"#, "{}"];
    assert_eq!(kept.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>(), expected);
}

#[test]
fn what_a_query_does_not_name_passes_through_as_it_was() {
    let messages = texts(&[r#"{"i":1,"v":1.10}"#, r#"{"i":2,"v":"a"}"#, r#"{"i":3,"v":[1, "x"]}"#]);
    let (kept, bad) = run("SELECT * FROM records WHERE i <> 2", &messages, 3);
    assert!(bad.is_empty());
    assert_eq!(kept, [(0, r#"{"i":1,"v":1.10}"#.to_owned()), (2, r#"{"i":3,"v":[1, "x"]}"#.to_owned())]);
}

#[test]
fn a_tombstone_among_records_that_do_not_fit_is_not_lost() {
    let messages = texts(&["42", "null", "7"]);
    let (mut sql, mut topic) = (sql("SELECT amount FROM records").unwrap(), Topic::new());
    let records = topic.records(&messages).remove(0);
    let transformed = sql.apply(records).unwrap();
    assert_eq!(transformed.rejected.iter().map(|rejected| rejected.row).collect::<Vec<_>>(), [0, 2]);
    assert_eq!(transformed.records[0].rows.iter().collect::<Vec<_>>(), [1]);
    assert!(transformed.records[0].value.is_null(0));
    assert_eq!(transformed.records[0].rows, RowIndex::Selected(vec![1].into()));
}
