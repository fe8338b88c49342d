//! What becomes of rows where a transformation drops some, or sends them to other topics.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::UInt32Array;
use volley_api::{Error, Records, RejectedRow, Result, Stage, Transformed};

/// What becomes of one row.
#[derive(Clone, Debug)]
pub(crate) enum Fate {
    /// It passes as it is.
    Stays,
    /// It goes to this topic, whose name MUST NOT be empty.
    Goes(Arc<str>),
    /// It is left out.
    IsDropped,
    /// It is rejected.
    Fails(Error),
}

impl Fate {
    /// It passes, or it is left out.
    pub(crate) fn kept_if(is_kept: bool) -> Self {
        if is_kept { Self::Stays } else { Self::IsDropped }
    }
}

/// The records of each topic, in the order in which the topics come first, and the rows that fail.
pub(crate) fn carry_out(records: Records, class: &str, fates: Vec<Fate>) -> Result<Transformed> {
    if fates.iter().all(|fate| matches!(fate, Fate::Stays)) {
        return Ok(Transformed::of(records));
    }
    let mut rejected = Vec::new();
    let mut places: HashMap<Arc<str>, usize> = HashMap::new();
    let mut routed: Vec<(Arc<str>, Vec<u32>)> = Vec::new();
    for (row, fate) in fates.into_iter().enumerate() {
        let topic = match fate {
            Fate::Stays => Arc::clone(&records.topic),
            Fate::Goes(topic) => topic,
            Fate::IsDropped => continue,
            Fate::Fails(error) => {
                let row = records.rows.input_row(row);
                rejected.push(RejectedRow { row, stage: Stage::Transformation, class: class.to_owned(), error });
                continue;
            }
        };
        let place = *places.entry(topic).or_insert_with_key(|topic| {
            routed.push((Arc::clone(topic), Vec::new()));
            routed.len() - 1
        });
        routed[place].1.push(row as u32);
    }
    let part = |(topic, rows): (Arc<str>, Vec<u32>)| {
        let is_whole = rows.len() == records.len();
        let part = if is_whole { records.clone() } else { records.take(&UInt32Array::from(rows))? };
        Ok(Records { topic, ..part })
    };
    Ok(Transformed { records: routed.into_iter().map(part).collect::<Result<_>>()?, rejected })
}

#[cfg(test)]
mod tests {
    use super::*;
    use volley_api::testing::{records, row_texts, texts};

    #[test]
    fn each_topic_has_its_rows_in_order_and_what_fails_takes_no_other_along() {
        let fates = vec![
            Fate::Goes("x".into()),
            Fate::Stays,
            Fate::IsDropped,
            Fate::Fails(Error::data("no")),
            Fate::Goes("x".into()),
            Fate::Goes("t".into()),
        ];
        let all = records("t", texts(["a", "b", "c", "d", "e", "f"]));
        let Transformed { records, rejected } = carry_out(all, "C", fates).unwrap();
        let found: Vec<_> = records.iter().map(|records| (&*records.topic, row_texts(records))).collect();
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].0, found[0].1.len()), ("x", 2));
        assert_eq!((found[1].0, found[1].1.len()), ("t", 2));
        assert_eq!(records[1].rows.iter().collect::<Vec<_>>(), [1, 5]);
        assert_eq!(rejected.iter().map(|rejected| rejected.row).collect::<Vec<_>>(), [3]);
    }
}
