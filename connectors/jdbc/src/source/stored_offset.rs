//! Source partitions and offsets, as Java's connector stores them.
//!
//! | what is read | source partition |
//! |---|---|
//! | a table | `{"protocol":"1","table":"catalog.schema.table"}`; without a catalog in old drivers: `schema.table` |
//! | a table, in old versions, and in mode bulk | `{"table":"table"}` |
//! | a query; one of several | `{"query":"query"}`; `{"query":"name"}` |
//!
//! The offset is `{"incrementing":<number>,"timestamp":<milliseconds>,"timestamp_nanos":<nanoseconds of the
//! second>}`, with what the mode has. A lookback adds `"lookback":"<what was delivered>"`, which Java passes over.

use serde_json::Value;
use volley_api::{Error, Result, SourceOffset, SourcePartition};

use crate::database::{TableId, Timestamp};

const TABLE: &str = "table";
const QUERY: &str = "query";
const PROTOCOL: &str = "protocol";
const INCREMENTING: &str = "incrementing";
const TIMESTAMP: &str = "timestamp";
const NANOS: &str = "timestamp_nanos";
const LOOKBACK: &str = "lookback";

/// How far a table was read. Of two, the one with the later time is greater, then the one with the greater number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position {
    /// The latest time.
    pub(super) timestamp: Option<Timestamp>,
    /// The greatest number.
    pub(super) incrementing: Option<i64>,
}

impl Position {
    /// The position that an offset says.
    ///
    /// # Errors
    /// `Config` for a member that is no integer.
    pub(super) fn parse(offset: &SourceOffset) -> Result<Self> {
        let timestamp = integer(offset, TIMESTAMP)?;
        let nanos = integer(offset, NANOS)?.and_then(|nanos| u32::try_from(nanos).ok());
        Ok(Self {
            incrementing: integer(offset, INCREMENTING)?,
            timestamp: timestamp.map(|millis| Timestamp::from_java(millis, nanos)),
        })
    }

    /// The offset that says it.
    pub(super) fn to_offset(self) -> SourceOffset {
        let mut offset = SourceOffset::new();
        let mut put = |name: &str, value: i64| offset.insert(name.to_owned(), Value::from(value));
        if let Some(number) = self.incrementing {
            put(INCREMENTING, number);
        }
        if let Some(timestamp) = self.timestamp {
            put(TIMESTAMP, timestamp.millis());
            put(NANOS, i64::from(timestamp.nanos_of_second()));
        }
        offset
    }
}

/// What an offset says of the rows that a lookback has delivered.
pub(super) fn lookback_text(offset: &SourceOffset) -> &str {
    offset.get(LOOKBACK).and_then(Value::as_str).unwrap_or_default()
}

/// Adds what a lookback has delivered.
pub(super) fn put_lookback_text(offset: &mut SourceOffset, text: &str) {
    offset.insert(LOOKBACK.to_owned(), text.into());
}

/// The source partition of a query; without a name it is the only one.
pub(super) fn query_partition(name: Option<&str>) -> SourcePartition {
    SourcePartition::from_iter([(QUERY.to_owned(), name.unwrap_or(QUERY).into())])
}

/// The source partition of a table in mode bulk, and in old versions.
pub(super) fn plain_partition(table: &TableId) -> SourcePartition {
    SourcePartition::from_iter([(TABLE.to_owned(), table.table.as_str().into())])
}

/// The source partition of a table.
pub(super) fn table_partition(table: &TableId) -> SourcePartition {
    let name = table.to_string();
    SourcePartition::from_iter([(PROTOCOL.to_owned(), "1".into()), (TABLE.to_owned(), name.into())])
}

/// The source partitions under which an offset of a table may be, the most likely first. The last is of old versions:
/// whoever finds the offset there goes on with the first.
fn known_partitions(table: &TableId) -> [SourcePartition; 3] {
    [table_partition(table), table_partition(&table.without_catalog()), plain_partition(table)]
}

/// Where a table is read on, and under which source partition its offsets are stored.
pub(super) fn stored_offset(
    table: &TableId,
    offsets: impl FnOnce(&[SourcePartition]) -> Result<Vec<Option<SourceOffset>>>,
) -> Result<(SourcePartition, SourceOffset)> {
    let known = known_partitions(table);
    let stored = offsets(&known)?;
    let found = stored
        .into_iter()
        .enumerate()
        .find_map(|(place, offset)| Some((place, offset.filter(|offset| !offset.is_empty())?)));
    let [first, without_catalog, _] = known;
    Ok(match found {
        None => (first, SourceOffset::new()),
        Some((1, offset)) => (without_catalog, offset),
        Some((_, offset)) => (first, offset),
    })
}

/// Checks a source partition and an offset that a user sets.
///
/// # Errors
/// `Config`, with what is wrong.
pub(super) fn check(partition: &SourcePartition, offset: &SourceOffset) -> Result<()> {
    let has_text = |member: &str| partition.get(member).is_some_and(Value::is_string);
    if !has_text(TABLE) && !has_text(QUERY) {
        return Err(Error::config(format!(
            "a source partition of this connector has the member `{TABLE}` or `{QUERY}`, a text"
        )));
    }
    Position::parse(offset).map(drop)
}

fn integer(offset: &SourceOffset, member: &str) -> Result<Option<i64>> {
    match offset.get(member) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_i64() {
            Some(number) => Ok(Some(number)),
            None => Err(Error::config(format!("the offset's `{member}` is {value}: it must be an integer"))),
        },
    }
}

#[cfg(test)]
mod tests {
    use volley_api::testing::json_object;

    use super::*;

    #[test]
    fn partitions_are_java_s_letter_by_letter() {
        let table = TableId::new(Some("shop"), Some("public"), "orders");
        let texts = known_partitions(&table).map(|partition| Value::from(partition).to_string());
        assert_eq!(texts[0], r#"{"protocol":"1","table":"shop.public.orders"}"#);
        assert_eq!(texts[1], r#"{"protocol":"1","table":"public.orders"}"#);
        assert_eq!(texts[2], r#"{"table":"orders"}"#);
        assert_eq!(Value::from(query_partition(None)).to_string(), r#"{"query":"query"}"#);
        assert_eq!(Value::from(query_partition(Some("a"))).to_string(), r#"{"query":"a"}"#);
    }

    #[test]
    fn offsets_are_java_s() {
        let text = r#"{"incrementing":7,"timestamp":1700000000123,"timestamp_nanos":123456000}"#;
        let position = Position::parse(&json_object(text)).unwrap();
        assert_eq!(position.timestamp, Some(Timestamp::from_micros(1_700_000_000_123_456)));
        assert_eq!(Value::from(position.to_offset()).to_string(), text);
        assert_eq!(Position::parse(&json_object("{}")).unwrap(), Position::default());
        assert_eq!(Position::default().to_offset().len(), 0);
        assert!(Position::parse(&json_object(r#"{"incrementing":"7"}"#)).is_err());
        assert!(check(&json_object(r#"{"table":"t"}"#), &json_object(r#"{"incrementing":1}"#)).is_ok());
        assert!(check(&json_object(r#"{"file":"t"}"#), &json_object("{}")).is_err());
    }

    fn table() -> TableId {
        TableId::new(Some("shop"), Some("public"), "orders")
    }

    #[test]
    fn offsets_are_found_under_every_partition_that_java_has_ever_used() {
        let find = |partition: &str| {
            let stored = json_object(partition);
            let offset = |asked: &SourcePartition| (*asked == stored).then(|| json_object(r#"{"incrementing":7}"#));
            let offsets = |known: &[SourcePartition]| Ok(known.iter().map(offset).collect());
            let (partition, offset) = stored_offset(&table(), offsets).unwrap();
            (Value::from(partition).to_string(), Position::parse(&offset).unwrap().incrementing)
        };
        let (qualified, short) =
            (r#"{"protocol":"1","table":"shop.public.orders"}"#, r#"{"protocol":"1","table":"public.orders"}"#);
        assert_eq!(find(qualified), (qualified.to_owned(), Some(7)));
        assert_eq!(find(short), (short.to_owned(), Some(7)));
        assert_eq!(find(r#"{"table":"orders"}"#), (qualified.to_owned(), Some(7)));
        assert_eq!(find(r#"{"table":"other"}"#), (qualified.to_owned(), None));
    }
}
