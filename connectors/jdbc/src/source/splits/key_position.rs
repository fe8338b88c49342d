//! Keys of rows, as they stand in the offset of a range.

use arrow::array::{Array, AsArray};
use arrow::datatypes::DataType;
use arrow::record_batch::RecordBatch;
use arrow::util::display::array_value_to_string;
use volley_api::Result;

use super::split_plan::SplitPlan;
use crate::database::KeyKind;

/// The keys of rows in the order of their keys.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeyPosition {
    /// The place of the column.
    place: usize,
    kind: KeyKind,
}

impl KeyPosition {
    /// Whether rows of a plan come in the order of their keys: where two rows that the database takes for equal can be
    /// told apart, or there are none.
    pub(super) fn is_ordered(plan: &SplitPlan) -> bool {
        plan.is_unique || plan.kind == KeyKind::Number
    }

    /// Of the column in this place, with values of this type; `None` if nobody can go on behind such a key: then the
    /// range is read again from its beginning.
    pub(super) fn of(plan: &SplitPlan, place: usize, data_type: &DataType) -> Option<Self> {
        let is_told = match plan.kind {
            KeyKind::Number => {
                data_type.is_integer() || matches!(data_type, DataType::Decimal128(..) | DataType::Decimal256(..))
            }
            KeyKind::Text => *data_type == DataType::Utf8,
            KeyKind::Bytes => *data_type == DataType::Binary,
        };
        (is_told && Self::is_ordered(plan)).then_some(Self { place, kind: plan.kind })
    }

    /// The key of a row; `None` if it is null.
    pub(super) fn key(self, rows: &RecordBatch, row: usize) -> Result<Option<String>> {
        let column = rows.column(self.place);
        if column.is_null(row) {
            return Ok(None);
        }
        Ok(Some(match self.kind {
            KeyKind::Number => array_value_to_string(column, row)?,
            KeyKind::Text => column.as_string::<i32>().value(row).to_owned(),
            KeyKind::Bytes => column.as_binary::<i32>().value(row).iter().map(|byte| format!("{byte:02x}")).collect(),
        }))
    }
}
