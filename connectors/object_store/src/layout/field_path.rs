//! Fields of values by their dotted names.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, FieldRef};
use volley_api::Column;

/// The name of a field: `country`, or `address.city` for a field of a struct. A field whose own name has a dot comes
/// first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FieldPath(String);

/// The values of a field. Where a struct around it is null, so is the value.
#[derive(Clone, Debug)]
pub(crate) struct FieldColumn {
    pub(crate) field: FieldRef,
    pub(crate) array: ArrayRef,
    /// Which values are null. Counts instead of the nulls of the array, which knows nothing of the structs around it.
    pub(crate) nulls: Option<NullBuffer>,
}

impl FieldColumn {
    /// Whether the value of `row` is null.
    pub(crate) fn is_null(&self, row: usize) -> bool {
        self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
    }

    /// Number of values.
    pub(crate) fn len(&self) -> usize {
        self.array.len()
    }
}

impl FieldPath {
    /// The field with this name.
    pub(crate) fn new(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// The name as it is configured.
    pub(crate) fn name(&self) -> &str {
        &self.0
    }

    /// The field's values.
    ///
    /// # Errors
    /// What every row is rejected with where there is no such field.
    pub(crate) fn find(&self, value: &Column) -> Result<FieldColumn, String> {
        let DataType::Struct(_) = value.field.data_type() else {
            let data_type = value.field.data_type();
            return Err(format!("the value has no field `{}`: it is of type {data_type}, not a struct", self.0));
        };
        let root = FieldColumn {
            field: Arc::clone(&value.field),
            array: Arc::clone(&value.array),
            nulls: value.array.logical_nulls(),
        };
        // the text of Connect's DataException
        find(&root, &self.0).ok_or_else(|| format!("{} is not a valid field name", self.0))
    }
}

fn find(parent: &FieldColumn, path: &str) -> Option<FieldColumn> {
    let DataType::Struct(fields) = parent.field.data_type() else { return None };
    if let Some((at, field)) = fields.find(path) {
        let array = parent.array.as_struct().column(at);
        let nulls = NullBuffer::union(parent.nulls.as_ref(), array.logical_nulls().as_ref());
        return Some(FieldColumn { field: Arc::clone(field), array: Arc::clone(array), nulls });
    }
    let mut dots = path.match_indices('.');
    dots.find_map(|(dot, _)| find(&find_own(parent, &path[..dot])?, &path[dot + 1..]))
}

/// The field of exactly this name.
fn find_own(parent: &FieldColumn, name: &str) -> Option<FieldColumn> {
    let DataType::Struct(fields) = parent.field.data_type() else { return None };
    fields.find(name).and_then(|_| find(parent, name))
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int32Array, StructArray};
    use arrow::datatypes::Field;
    use volley_api::testing::{column, texts};

    use super::*;

    fn nested() -> Column {
        let field = |name: &str, data_type: &DataType| Arc::new(Field::new(name, data_type.clone(), true));
        let city: ArrayRef = Arc::new(Int32Array::from(vec![Some(1), None, Some(3), Some(4)]));
        let nulls = Some(NullBuffer::from(vec![true, true, false, true]));
        let address = StructArray::new(vec![field("city", city.data_type())].into(), vec![Arc::clone(&city)], nulls);
        let fields = vec![field("address", address.data_type()), field("address.zip", city.data_type())];
        let nulls = Some(NullBuffer::from(vec![true, true, true, false]));
        column(StructArray::new(fields.into(), vec![Arc::new(address), city], nulls))
    }

    #[test]
    fn a_value_is_null_where_a_struct_around_it_is() {
        let found = FieldPath::new("address.city").find(&nested()).unwrap();
        assert_eq!((0..4).map(|row| found.is_null(row)).collect::<Vec<_>>(), [false, true, true, true]);
        let sliced = FieldPath::new("address.city").find(&nested().slice(1, 3)).unwrap();
        assert_eq!((0..3).map(|row| sliced.is_null(row)).collect::<Vec<_>>(), [true, true, true]);
    }

    #[test]
    fn a_dot_may_belong_to_the_name() {
        let found = FieldPath::new("address.zip").find(&nested()).unwrap();
        assert_eq!((0..4).map(|row| found.is_null(row)).collect::<Vec<_>>(), [false, true, false, true]);
    }

    #[test]
    fn what_is_not_there_is_named() {
        for name in ["country", "address.", "address.street", ".", "", "address.city.x"] {
            let message = FieldPath::new(name).find(&nested()).unwrap_err();
            assert_eq!(message, format!("{name} is not a valid field name"));
        }
        let message = FieldPath::new("a").find(&texts(["x"])).unwrap_err();
        assert_eq!(message, "the value has no field `a`: it is of type Utf8, not a struct");
    }
}
