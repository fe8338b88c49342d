//! The last rows that were delivered: `lookback.ms`. A row is known by a hash of all its values, so that one that was
//! changed without a later time is new as well.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hasher};

use arrow::record_batch::RecordBatch;
use arrow::row::{RowConverter, SortField};
use volley_api::Result;

use crate::database::Timestamp;

/// Rows that an offset has at most: 128 KiB of text. What it leaves out comes again after a restart.
const MOST_ROWS: usize = 8_192;
/// Digits of a hash.
const DIGITS: usize = 16;

/// Rows that were delivered.
#[derive(Clone, Debug, Default)]
pub(in crate::source) struct SeenRows {
    /// How often there was each row before this pass.
    before: HashMap<u64, u32>,
    /// How often there was each row in this pass, and when.
    pass: HashMap<u64, (u32, Timestamp)>,
}

impl SeenRows {
    /// What the text of an offset says.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(text: &str) -> std::result::Result<Self, String> {
        let mut before = HashMap::new();
        for digits in text.as_bytes().chunks(DIGITS) {
            let digits = std::str::from_utf8(digits).ok().filter(|digits| digits.len() == DIGITS);
            let hash = digits.and_then(|digits| u64::from_str_radix(digits, 16).ok());
            *before.entry(hash.ok_or("a hash has 16 digits of base 16")?).or_default() += 1;
        }
        Ok(Self { before, pass: HashMap::new() })
    }

    /// The hash of each row, as often as it was there; of too many, the latest.
    pub(super) fn to_text(&self) -> String {
        let mut latest: Vec<_> = self.pass.iter().map(|(hash, (count, at))| (Some(*at), *hash, *count)).collect();
        latest.extend(
            self.before
                .iter()
                .filter(|(hash, _)| !self.pass.contains_key(hash))
                .map(|(hash, count)| (None, *hash, *count)),
        );
        latest.sort_unstable_by(|one, other| other.cmp(one));
        let mut text = String::with_capacity(latest.len().min(MOST_ROWS) * DIGITS);
        let known = latest.iter().flat_map(|(_, hash, count)| {
            let before = self.before.get(hash).copied().unwrap_or_default();
            std::iter::repeat_n(*hash, (*count).max(before) as usize)
        });
        for hash in known.take(MOST_ROWS) {
            // writing to a text cannot fail
            let _ = write!(text, "{hash:016x}");
        }
        text
    }

    /// Takes the rows of a pass with their times; whether each is new.
    pub(super) fn take(&mut self, rows: &RecordBatch, times: &[Timestamp]) -> Result<Vec<bool>> {
        let fields = rows.columns().iter().map(|column| SortField::new(column.data_type().clone())).collect();
        let encoded = RowConverter::new(fields)?.convert_columns(rows.columns())?;
        // a hash of a row needs the row
        let is_new = encoded.iter().zip(times).map(|(row, at)| {
            let mut hasher = DefaultHasher::new();
            hasher.write(row.as_ref());
            let hash = hasher.finish();
            let (count, _) = self.pass.entry(hash).and_modify(|(count, _)| *count += 1).or_insert((1, *at));
            *count > self.before.get(&hash).copied().unwrap_or_default()
        });
        Ok(is_new.collect())
    }

    /// Ends a pass, which has seen all rows of the window: what is there of it later than `since` is remembered.
    pub(super) fn end_pass(&mut self, since: Option<Timestamp>) {
        let pass = std::mem::take(&mut self.pass).into_iter();
        self.before = pass.filter(|(_, (_, at))| Some(*at) > since).map(|(hash, (count, _))| (hash, count)).collect();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, StringArray};

    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn take(seen: &mut SeenRows, rows: &[(i64, &str)]) -> Vec<bool> {
        let times: Vec<_> = rows.iter().map(|(time, _)| at(*time)).collect();
        let columns: [(&str, ArrayRef); 2] = [
            ("at", Arc::new(rows.iter().map(|(time, _)| *time).collect::<Int64Array>())),
            ("name", Arc::new(rows.iter().map(|(_, name)| Some(*name)).collect::<StringArray>())),
        ];
        seen.take(&RecordBatch::try_from_iter(columns).unwrap(), &times).unwrap()
    }

    #[test]
    fn a_row_is_new_once_and_a_changed_one_again() {
        let mut seen = SeenRows::default();
        assert_eq!(take(&mut seen, &[(1, "a"), (2, "b"), (2, "b")]), [true, true, true]);
        seen.end_pass(None);
        assert_eq!(take(&mut seen, &[(1, "a"), (1, "late"), (2, "b"), (2, "b")]), [false, true, false, false]);
        seen.end_pass(None);
        // equal rows are counted
        assert_eq!(take(&mut seen, &[(2, "b"), (2, "b"), (2, "b"), (2, "c")]), [false, false, true, true]);
    }

    #[test]
    fn an_offset_in_the_middle_of_a_pass_knows_what_was_delivered_before_and_in_it() {
        let mut seen = SeenRows::default();
        take(&mut seen, &[(1, "a"), (5, "e"), (5, "e")]);
        seen.end_pass(None);
        take(&mut seen, &[(1, "a"), (2, "late")]);
        let mut again = SeenRows::parse(&seen.to_text()).unwrap();
        let rows = [(1, "a"), (2, "late"), (5, "e"), (5, "e"), (6, "f")];
        assert_eq!(take(&mut again, &rows), [false, false, false, false, true]);
    }

    #[test]
    fn what_is_too_old_is_forgotten_and_an_offset_has_the_latest() {
        let mut seen = SeenRows::default();
        take(&mut seen, &[(1, "a"), (2, "b")]);
        seen.end_pass(Some(at(1)));
        assert_eq!(seen.to_text().len(), DIGITS);
        let rows: Vec<_> = (0..10_000).map(|time| (time, "x")).collect();
        let mut many = SeenRows::default();
        take(&mut many, &rows);
        assert_eq!(many.to_text().len(), MOST_ROWS * DIGITS);
        let mut again = SeenRows::parse(&many.to_text()).unwrap();
        assert_eq!(take(&mut again, &[(0, "x"), (9_999, "x")]), [true, false]);
        for wrong in ["1", "zzzzzzzzzzzzzzzz", "0000000000000000é"] {
            assert!(SeenRows::parse(wrong).is_err(), "{wrong}");
        }
    }
}
