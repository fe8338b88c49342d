//! The offsets of ranges.
//!
//! | source partition | offset |
//! |---|---|
//! | `{"protocol":"1","table":"catalog.schema.table","split":"<number of the range>"}` | `{"splits":"<the plan>","rows":<given out so far>}`, with `"key":"<the last key>"` if reading goes on behind a key, and `"done":true` behind the last row |
//!
//! Java's connector never asks for such a source partition. Members are plain values, as Connect requires.

use serde_json::Value;
use volley_api::{Error, Result, SourceOffset, SourcePartition};

use super::split_count::MOST_SPLITS;
use super::split_plan::SplitPlan;
use crate::database::TableId;
use crate::source::stored_offset::table_partition;

const SPLIT: &str = "split";
const SPLITS: &str = "splits";
const KEY: &str = "key";
const ROWS: &str = "rows";
const DONE: &str = "done";

/// How far a range was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct RangeState {
    /// Behind this key.
    pub(super) key: Option<String>,
    /// Rows that were given out. Never less than before, also where some are read again.
    pub(super) rows: i64,
    pub(super) is_done: bool,
}

/// The source partition of a range.
pub(super) fn split_partition(table: &TableId, index: usize) -> SourcePartition {
    let mut partition = table_partition(table);
    partition.insert(SPLIT.to_owned(), index.to_string().into());
    partition
}

/// The source partitions of all ranges that there may be.
pub(super) fn split_partitions(table: &TableId) -> Vec<SourcePartition> {
    (0..MOST_SPLITS).map(|index| split_partition(table, index)).collect()
}

/// The offset of a range.
pub(super) fn to_offset(plan: &SplitPlan, state: &RangeState) -> SourceOffset {
    let mut offset = SourceOffset::new();
    offset.insert(SPLITS.to_owned(), plan.to_text().into());
    offset.insert(ROWS.to_owned(), state.rows.into());
    if let Some(key) = &state.key {
        offset.insert(KEY.to_owned(), key.as_str().into());
    }
    if state.is_done {
        offset.insert(DONE.to_owned(), true.into());
    }
    offset
}

/// The plan of an offset, and how far the range was read.
///
/// # Errors
/// `Config` if it is none that Volley stores.
pub(super) fn parse(offset: &SourceOffset) -> Result<(SplitPlan, RangeState)> {
    let wrong =
        |what: &str| Error::config(format!("the offset's {what}: forget it, or set one that Volley has stored"));
    let text = offset.get(SPLITS).and_then(Value::as_str).ok_or_else(|| wrong("`splits` is no text"))?;
    let plan = SplitPlan::parse(text).map_err(|reason| wrong(&format!("`splits` is no plan of ranges ({reason})")))?;
    let state = RangeState {
        key: offset.get(KEY).and_then(Value::as_str).map(str::to_owned),
        rows: offset.get(ROWS).and_then(Value::as_i64).unwrap_or_default(),
        is_done: offset.get(DONE).and_then(Value::as_bool).unwrap_or_default(),
    };
    Ok((plan, state))
}

/// Checks an offset that a user sets, if it is that of a range.
///
/// # Errors
/// `Config`, with what is wrong.
pub(in crate::source) fn check(partition: &SourcePartition, offset: &SourceOffset) -> Result<()> {
    match partition.get(SPLIT) {
        None => Ok(()),
        Some(_) => parse(offset).map(drop),
    }
}

#[cfg(test)]
mod tests {
    use volley_api::testing::json_object;

    use super::super::split_plan::tests::plan;
    use super::*;

    #[test]
    fn what_is_stored_of_a_range_comes_back() {
        let table = TableId::new(Some("shop"), Some("public"), "orders");
        assert_eq!(
            Value::from(split_partition(&table, 3)).to_string(),
            r#"{"protocol":"1","table":"shop.public.orders","split":"3"}"#
        );
        let state = RangeState { key: Some("né'\"".to_owned()), rows: 12, is_done: true };
        for state in [state, RangeState::default()] {
            let offset = to_offset(&plan(&["3", "5"]), &state);
            assert!(offset.values().all(|value| !value.is_object() && !value.is_array()));
            assert_eq!(parse(&offset).unwrap(), (plan(&["3", "5"]), state));
            assert!(check(&split_partition(&table, 3), &offset).is_ok());
        }
        assert!(check(&split_partition(&table, 3), &json_object(r#"{"incrementing":1}"#)).is_err());
        assert!(check(&table_partition(&table), &json_object(r#"{"incrementing":1}"#)).is_ok());
    }
}
