//! Applies to records what is a function on columns: values of several types in parts, rows that fail rejected.

use std::sync::Arc;

use arrow::datatypes::DataType;
use volley_api::schema::{has_schema, is_json_text, is_mixed, json_text_field, without_schema};
use volley_api::{Column, Records, Result, Side, Transformed};
use volley_converters::{MixedRows, same_type};

use super::schema_cache::SharedFields;
use super::typed_parts::{json_texts, typed_parts};
use super::{Failure, Outcome, column_of, reject, with_column};

/// The side that a transformation works on, and its class.
#[derive(Debug)]
pub(crate) struct ColumnWise {
    pub(crate) side: Side,
    class: &'static str,
    mixed: MixedRows,
    shared: SharedFields,
}

impl ColumnWise {
    /// `classes`: the Java classes for the key and the value.
    pub(crate) fn new(side: Side, classes: [&'static str; 2]) -> Self {
        let class = match side {
            Side::Key => classes[0],
            Side::Value => classes[1],
        };
        Self { side, class, mixed: MixedRows::new(), shared: SharedFields::default() }
    }

    /// Transforms the column of this side.
    pub(crate) fn apply_to_column(
        &mut self,
        records: Records,
        is_wanted: impl Fn(&str) -> bool,
        mut transform: impl FnMut(&Column) -> Outcome<Column>,
    ) -> Result<Transformed> {
        let side = self.side;
        self.apply(records, is_wanted, |records| Ok(with_column(records, side, transform(column_of(records, side))?)))
    }

    /// Transforms records. The values of this side that `transform` sees have types, also within the fields that are wanted.
    pub(crate) fn apply(
        &mut self,
        records: Records,
        is_wanted: impl Fn(&str) -> bool,
        mut transform: impl FnMut(&Records) -> Outcome<Records>,
    ) -> Result<Transformed> {
        let column = column_of(&records, self.side);
        let wants_text = is_json_text(&column.field) && !is_mixed(&column.field) && !has_schema(&column.field);
        let parts = self.parts(records, is_wanted)?;
        let mut done = Transformed::default();
        for part in parts {
            self.attempt(part, &mut transform, &mut done)?;
        }
        done.rejected.sort_by_key(|rejected| rejected.row);
        if wants_text {
            done.records.iter_mut().try_for_each(|records| as_text_again(records, self.side))?;
        }
        if done.records.len() > 1 {
            give_same_types(&mut done.records)?;
        }
        for records in &mut done.records {
            records.key.field = self.shared.share(&records.key.field);
            records.value.field = self.shared.share(&records.value.field);
        }
        Ok(done)
    }

    /// The records in parts in which the values of this side have types, also within the fields that are wanted.
    pub(crate) fn parts(&mut self, records: Records, is_wanted: impl Fn(&str) -> bool) -> Result<Vec<Records>> {
        match typed_parts(&mut self.mixed, column_of(&records, self.side), is_wanted)? {
            None => Ok(vec![records]),
            Some(parts) => {
                let part = |(rows, column)| Ok(with_column(&records.take(&rows)?, self.side, column));
                parts.into_iter().map(part).collect()
            }
        }
    }

    /// Transforms a part; again without the rows that fail, while there are any.
    fn attempt(
        &self,
        part: Records,
        transform: &mut impl FnMut(&Records) -> Outcome<Records>,
        done: &mut Transformed,
    ) -> Result<()> {
        let mut rest = Some(part);
        while let Some(records) = rest.take() {
            match transform(&records) {
                Ok(transformed) => done.records.push(transformed),
                Err(Failure::Batch(error)) => return Err(error),
                Err(Failure::Rows(failed)) if failed.is_empty() => done.records.push(records),
                Err(Failure::Rows(failed)) => {
                    let mut outcome = reject(records, self.class, failed)?;
                    done.rejected.append(&mut outcome.rejected);
                    rest = outcome.records.pop();
                }
            }
        }
        Ok(())
    }
}

/// JSON texts that the user wants as such stay JSON texts.
fn as_text_again(records: &mut Records, side: Side) -> Result<()> {
    let column = column_of(records, side);
    if matches!(column.field.data_type(), DataType::Struct(_)) {
        let field = without_schema(json_text_field(column.field.name()));
        let column = Column::new(Arc::new(field), json_texts(column)?);
        *records = with_column(records, side, column);
    }
    Ok(())
}

/// Parts that are schemaless get one type again.
pub(crate) fn give_same_types(parts: &mut [Records]) -> Result<()> {
    for side in [Side::Key, Side::Value] {
        if parts.iter().all(|part| !has_schema(&column_of(part, side).field)) {
            let columns = same_type(parts.iter().map(|part| column_of(part, side).clone()).collect())?;
            for (part, column) in parts.iter_mut().zip(columns) {
                *part = with_column(part, side, column);
            }
        }
    }
    Ok(())
}
