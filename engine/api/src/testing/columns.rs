//! Columns in a line.

use std::sync::Arc;

use arrow::array::{Array, StringArray};
use arrow::datatypes::Field;

use crate::Column;

/// A column of these values, whose field may be null.
pub fn column(values: impl Array + 'static) -> Column {
    let field = Field::new("value", values.data_type().clone(), true);
    Column::new(Arc::new(field), Arc::new(values))
}

/// A column of texts; `None` is null.
pub fn texts<'a>(values: impl IntoIterator<Item = impl Into<Option<&'a str>>>) -> Column {
    column(StringArray::from_iter(values.into_iter().map(Into::into)))
}
