//! Into which ranges a table is divided, and how far its snapshot goes.

use serde_json::{Map, Value, json};

use super::split_count::MOST_SPLITS;
use crate::database::KeyKind;
use crate::source::stored_offset::Position;

/// The ranges of a table: `n` borders make `n + 1` ranges. A range begins behind a border and ends with the next; the
/// first has everything up to the first border and what has no key, the last everything behind the last.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::source) struct SplitPlan {
    /// When it was made, in microseconds since 1970 by the clock of the database. A plan is known by this.
    pub(super) at: i64,
    /// The column of the keys.
    pub(super) column: String,
    pub(super) kind: KeyKind,
    /// Whether the database lets no two rows have the same key.
    pub(super) is_unique: bool,
    /// Keys as the database writes them, in its order.
    pub(super) borders: Vec<String>,
    /// How far the snapshot goes: behind it, reading goes on as without ranges. `None`: everything that is there, once.
    pub(super) until: Option<Position>,
}

/// What one range has of the keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeyRange {
    /// Behind this key.
    pub(super) after: Option<String>,
    /// Up to this key.
    pub(super) up_to: Option<String>,
    /// Whether rows without a key are in it.
    pub(super) has_nulls: bool,
}

impl SplitPlan {
    /// How many ranges there are.
    pub(super) fn ranges(&self) -> usize {
        self.borders.len() + 1
    }

    /// What is left of a range behind a key.
    pub(super) fn range(&self, index: usize, position: Option<&str>) -> KeyRange {
        let before = index.checked_sub(1).and_then(|border| self.borders.get(border)).map(String::as_str);
        KeyRange {
            after: position.or(before).map(str::to_owned),
            up_to: self.borders.get(index).cloned(),
            has_nulls: index == 0 && position.is_none(),
        }
    }

    /// Whether it is one for a mode: of a number, of a time.
    pub(super) fn fits(&self, is_incrementing: bool, is_timestamp: bool) -> bool {
        let until = self.until.unwrap_or_default();
        until.incrementing.is_some() == is_incrementing && until.timestamp.is_some() == is_timestamp
    }

    /// The plan as a text.
    pub(super) fn to_text(&self) -> String {
        let until = self.until.map(|until| Value::Object(until.to_offset().into_iter().collect()));
        json!({
            "at": self.at,
            "column": self.column,
            "kind": kind_name(self.kind),
            "unique": self.is_unique,
            "borders": self.borders,
            "until": until,
        })
        .to_string()
    }

    /// The plan that a text says.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let members: Map<String, Value> = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let member = |name: &str| members.get(name).unwrap_or(&Value::Null);
        let wrong = |name: &str| format!("its `{name}` is {}", member(name));
        let borders = member("borders").as_array().ok_or_else(|| wrong("borders"))?;
        let borders: Option<Vec<_>> = borders.iter().map(|border| border.as_str().map(str::to_owned)).collect();
        let borders = borders.filter(|borders| borders.len() < MOST_SPLITS).ok_or_else(|| wrong("borders"))?;
        let until = match member("until") {
            Value::Null => None,
            Value::Object(offset) => {
                let offset = offset.clone().into_iter().collect();
                Some(Position::parse(&offset).map_err(|error| error.to_string())?)
            }
            _ => return Err(wrong("until")),
        };
        Ok(Self {
            at: member("at").as_i64().ok_or_else(|| wrong("at"))?,
            column: member("column").as_str().ok_or_else(|| wrong("column"))?.to_owned(),
            kind: kind_of(member("kind")).ok_or_else(|| wrong("kind"))?,
            is_unique: member("unique").as_bool().ok_or_else(|| wrong("unique"))?,
            borders,
            until,
        })
    }
}

fn kind_name(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::Number => "number",
        KeyKind::Text => "text",
        KeyKind::Bytes => "bytes",
    }
}

fn kind_of(name: &Value) -> Option<KeyKind> {
    [KeyKind::Number, KeyKind::Text, KeyKind::Bytes].into_iter().find(|kind| name == kind_name(*kind))
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::database::Timestamp;

    pub(in crate::source::splits) fn plan(borders: &[&str]) -> SplitPlan {
        SplitPlan {
            at: 7,
            column: "id".to_owned(),
            kind: KeyKind::Number,
            is_unique: true,
            borders: borders.iter().map(|border| (*border).to_owned()).collect(),
            until: Some(Position { incrementing: Some(9), timestamp: None }),
        }
    }

    /// Whether a range has a key, as a database with this order sees it.
    fn has(range: &KeyRange, key: Option<i64>) -> bool {
        let Some(key) = key else { return range.has_nulls };
        let number = |text: &Option<String>| text.as_deref().map(|text| text.parse::<i64>().unwrap());
        number(&range.after).is_none_or(|after| key > after) && number(&range.up_to).is_none_or(|up_to| key <= up_to)
    }

    #[test]
    fn a_plan_is_for_the_modes_that_it_was_made_for() {
        let mut plan = plan(&["1"]);
        assert!(plan.fits(true, false) && !plan.fits(true, true) && !plan.fits(false, false));
        plan.until = Some(Position { incrementing: Some(1), timestamp: Some(Timestamp::from_micros(-1)) });
        assert!(plan.fits(true, true));
        assert_eq!(SplitPlan::parse(&plan.to_text()), Ok(plan.clone()));
        plan.until = None;
        assert!(plan.fits(false, false));
        for wrong in ["", "[]", "{}", r#"{"at":1,"column":"a","kind":"x","unique":true,"borders":[],"until":null}"#] {
            assert!(SplitPlan::parse(wrong).is_err(), "{wrong}");
        }
        let many = vec!["1"; MOST_SPLITS];
        assert!(SplitPlan::parse(&super::tests::plan(&many).to_text()).is_err());
    }

    proptest! {
        /// Any key, and none, is in exactly one range; what is left of a range behind a key is the range without what
        /// is up to there.
        #[test]
        fn each_key_is_in_exactly_one_range(
            mut borders in prop::collection::vec(-40_i64..40, 0..12),
            keys in prop::collection::vec(prop::option::of(-50_i64..50), 1..60),
            position in -50_i64..50,
        ) {
            borders.sort_unstable();
            borders.dedup();
            let texts: Vec<_> = borders.iter().map(i64::to_string).collect();
            let plan = plan(&texts.iter().map(String::as_str).collect::<Vec<_>>());
            for key in keys {
                let ranges: Vec<_> = (0..plan.ranges()).filter(|index| has(&plan.range(*index, None), key)).collect();
                prop_assert_eq!(ranges.len(), 1);
                let index = ranges[0];
                let left = has(&plan.range(index, Some(&position.to_string())), key);
                prop_assert_eq!(left, key.is_some_and(|key| key > position));
            }
        }

        #[test]
        fn a_plan_is_read_as_it_was_written(borders in prop::collection::vec(".{0,12}", 0..9), at in any::<i64>(), micros in any::<i32>()) {
            let position = Position { incrementing: Some(at), timestamp: Some(Timestamp::from_micros(i64::from(micros))) };
            let plan = SplitPlan { at, borders, kind: KeyKind::Text, until: Some(position), ..plan(&[]) };
            prop_assert_eq!(SplitPlan::parse(&plan.to_text()), Ok(plan));
        }
    }
}
