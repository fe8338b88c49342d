//! A code for each row, and a text for each code.

use std::collections::hash_map::Entry;
use std::sync::Arc;

use arrow::array::UInt32Array;
use rustc_hash::FxHashMap;
use volley_api::RowIndex;

use super::partitioner::{Rows, Split};
use super::time::RowTimes;

/// The code of a row without a directory.
pub(crate) const REJECTED: u32 = u32::MAX;

/// The directory of each row, or a part of it.
#[derive(Debug)]
pub(crate) struct Assignment {
    rows: usize,
    codes: Codes,
    /// The text of each code. Two codes may have the same text.
    texts: Vec<Arc<str>>,
    rejected: Vec<(usize, String)>,
}

/// Indices into the texts.
#[derive(Debug)]
enum Codes {
    /// Every row has the first text.
    Same,
    /// One for each row; [`REJECTED`] for a row without a text.
    Each(Vec<u32>),
}

impl Codes {
    fn of(&self, row: usize) -> u32 {
        match self {
            Self::Same => 0,
            Self::Each(codes) => codes[row],
        }
    }
}

impl Assignment {
    /// All rows have the same text.
    pub(crate) fn uniform(rows: usize, text: Arc<str>) -> Self {
        Self { rows, codes: Codes::Same, texts: vec![text], rejected: Vec::new() }
    }

    /// All rows are rejected.
    pub(crate) fn all_rejected(rows: usize, message: &str) -> Self {
        let rejected = (0..rows).map(|row| (row, message.to_owned())).collect();
        Self { rows, codes: Codes::Each(vec![REJECTED; rows]), texts: Vec::new(), rejected }
    }

    /// A code for each row. `rejected` MUST list the rows whose code is [`REJECTED`], ascending.
    pub(crate) fn coded(codes: Vec<u32>, texts: Vec<Arc<str>>, rejected: Vec<(usize, String)>) -> Self {
        let is_uniform = texts.len() == 1 && rejected.is_empty();
        let rows = codes.len();
        Self { rows, codes: if is_uniform { Codes::Same } else { Codes::Each(codes) }, texts, rejected }
    }

    /// Rows of several assignments, each at the places that its rows are listed for. Rows without a place, other than those that
    /// are `rejected`, are rejected as `missing`.
    pub(crate) fn of_parts(
        rows: usize,
        parts: Vec<(RowIndex, Self)>,
        mut rejected: Vec<(usize, String)>,
        missing: &str,
    ) -> Self {
        let mut whole = vec![REJECTED; rows];
        let mut texts: Vec<Arc<str>> = Vec::new();
        for (places, part) in parts {
            let base = texts.len() as u32;
            texts.extend(part.texts);
            for (row, place) in places.iter().enumerate().filter(|(_, place)| *place < rows) {
                let code = part.codes.of(row);
                if code != REJECTED {
                    whole[place] = base + code;
                }
            }
            let at = |(row, reason)| (places.input_row(row), reason);
            rejected.extend(part.rejected.into_iter().map(at));
        }
        rejected.sort_unstable_by_key(|(row, _)| *row);
        rejected.dedup_by_key(|(row, _)| *row);
        let known: Vec<usize> = rejected.iter().map(|(row, _)| *row).collect();
        for (row, code) in whole.iter_mut().enumerate() {
            match known.binary_search(&row) {
                Ok(_) => *code = REJECTED,
                Err(_) if *code == REJECTED => rejected.push((row, missing.to_owned())),
                Err(_) => {}
            }
        }
        rejected.sort_unstable_by_key(|(row, _)| *row);
        let texts = by_first_row(&mut whole, &texts);
        Self::coded(whole, texts, rejected)
    }

    /// For each row this text, the delimiter and the `inner` text. A row is rejected where either has none.
    #[must_use]
    pub(crate) fn join(self, inner: Self, delim: &str) -> Self {
        let join = |outer: u32, inner_code: u32| -> Arc<str> {
            format!("{}{delim}{}", self.texts[outer as usize], inner.texts[inner_code as usize]).into()
        };
        if let (Codes::Same, Codes::Same) = (&self.codes, &inner.codes) {
            return Self::uniform(self.rows, join(0, 0));
        }
        let mut texts = Vec::new();
        let mut known: FxHashMap<(u32, u32), u32> = FxHashMap::default();
        let mut last = ((REJECTED, REJECTED), REJECTED);
        let codes = (0..self.rows)
            .map(|row| {
                let pair = (self.codes.of(row), inner.codes.of(row));
                if pair.0 == REJECTED || pair.1 == REJECTED {
                    return REJECTED;
                }
                if pair != last.0 {
                    let code = *known.entry(pair).or_insert_with(|| {
                        texts.push(join(pair.0, pair.1));
                        texts.len() as u32 - 1
                    });
                    last = (pair, code);
                }
                last.1
            })
            .collect();
        let outer_codes = self.codes;
        let mut rejected = self.rejected;
        rejected.extend(inner.rejected.into_iter().filter(|(row, _)| outer_codes.of(*row) != REJECTED));
        rejected.sort_unstable_by_key(|(row, _)| *row);
        Self::coded(codes, texts, rejected)
    }

    /// The rows of each directory.
    pub(crate) fn into_split(self, times: Option<RowTimes>) -> Split {
        let parts = match &self.codes {
            _ if self.rows == 0 => Vec::new(),
            Codes::Same => self.texts.iter().map(|text| (Arc::clone(text), Rows::Range(0..self.rows))).collect(),
            Codes::Each(codes) => parts(codes, &self.texts),
        };
        Split { parts, rejected: self.rejected, times }
    }
}

/// Gives codes anew, in the order of their first rows; the texts in that order.
fn by_first_row(codes: &mut [u32], texts: &[Arc<str>]) -> Vec<Arc<str>> {
    let mut new_codes = vec![REJECTED; texts.len()];
    let mut ordered = Vec::new();
    for code in codes.iter_mut().filter(|code| **code != REJECTED) {
        let new = &mut new_codes[*code as usize];
        if *new == REJECTED {
            *new = ordered.len() as u32;
            ordered.push(Arc::clone(&texts[*code as usize]));
        }
        *code = *new;
    }
    ordered
}

fn parts(codes: &[u32], texts: &[Arc<str>]) -> Vec<(Arc<str>, Rows)> {
    let mut part_of_text: FxHashMap<&str, usize> = FxHashMap::default();
    let mut directories: Vec<(&Arc<str>, Vec<u32>)> = Vec::new();
    // codes come up in the order of their first rows
    let part_of_code: Vec<usize> = texts
        .iter()
        .map(|text| match part_of_text.entry(text) {
            Entry::Occupied(part) => *part.get(),
            Entry::Vacant(part) => {
                directories.push((text, Vec::new()));
                *part.insert(directories.len() - 1)
            }
        })
        .collect();
    for (row, code) in (0_u32..).zip(codes).filter(|(_, code)| **code != REJECTED) {
        directories[part_of_code[*code as usize]].1.push(row);
    }
    let filled = directories.into_iter().filter(|(_, rows)| !rows.is_empty());
    filled.map(|(text, rows)| (Arc::clone(text), compact(rows))).collect()
}

/// Rows without a gap as a range.
fn compact(rows: Vec<u32>) -> Rows {
    match (rows.first(), rows.last()) {
        (Some(first), Some(last)) if (last - first) as usize + 1 == rows.len() => {
            Rows::Range(*first as usize..*last as usize + 1)
        }
        _ => Rows::Selected(UInt32Array::from(rows)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(texts: &[&str]) -> Vec<Arc<str>> {
        texts.iter().map(|text| Arc::from(*text)).collect()
    }

    fn shown(split: &Split) -> Vec<(String, Vec<usize>)> {
        split.parts.iter().map(|(directory, rows)| (directory.to_string(), rows.iter().collect())).collect()
    }

    #[test]
    fn codes_of_the_same_text_are_one_directory_in_the_order_of_first_rows() {
        let split = Assignment::coded(vec![0, 1, 2, 1, 0], texts(&["a", "b", "a"]), Vec::new()).into_split(None);
        assert_eq!(shown(&split), [("a".to_owned(), vec![0, 2, 4]), ("b".to_owned(), vec![1, 3])]);
    }

    #[test]
    fn a_row_that_either_side_rejects_is_rejected_once() {
        let bad = |rows: &[usize], why: &str| rows.iter().map(|row| (*row, why.to_owned())).collect::<Vec<_>>();
        let outer = Assignment::coded(vec![0, REJECTED, 0, 0], texts(&["a"]), bad(&[1], "outer"));
        let inner = Assignment::coded(vec![0, REJECTED, REJECTED, 1], texts(&["x", "y"]), bad(&[1, 2], "inner"));
        let split = outer.join(inner, "/").into_split(None);
        assert_eq!(shown(&split), [("a/x".to_owned(), vec![0]), ("a/y".to_owned(), vec![3])]);
        assert_eq!(split.rejected, [(1, "outer".to_owned()), (2, "inner".to_owned())]);
    }

    #[test]
    fn rows_without_a_gap_are_a_range_and_no_rows_no_directory() {
        let split = Assignment::coded(vec![0, 0, 1, 1, 1], texts(&["a", "b"]), Vec::new()).into_split(None);
        assert_eq!(
            split.parts.iter().map(|part| part.1.clone()).collect::<Vec<_>>(),
            [Rows::Range(0..2), Rows::Range(2..5)]
        );
        let whole = Assignment::uniform(3, "a".into()).join(Assignment::uniform(3, "b".into()), "_").into_split(None);
        assert_eq!(whole.parts, [(Arc::from("a_b"), Rows::Range(0..3))]);
        assert!(Assignment::uniform(0, "a".into()).into_split(None).parts.is_empty());
        assert!(
            Assignment::all_rejected(2, "no")
                .join(Assignment::uniform(2, "b".into()), "/")
                .into_split(None)
                .parts
                .is_empty()
        );
    }
}
