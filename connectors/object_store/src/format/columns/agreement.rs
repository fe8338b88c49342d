//! How two sets of columns agree: whether one takes rows of the other, and which columns hold both.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Fields};

/// How two columns of one name become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Agreement {
    /// Numbers of different width do.
    Strict,
    /// So do texts and what is no text: for values without a schema, of which a batch may hold texts and the next one
    /// numbers. Else each of them would end a file.
    AsText,
}

impl Agreement {
    /// Whether a file with the columns `into` can take rows with the columns `from` without loss.
    pub(crate) fn holds(self, into: &Fields, from: &Fields) -> bool {
        let mut used = 0;
        for (hint, field) in from.iter().enumerate() {
            match find(into, field.name(), hint) {
                Some(target) if self.takes(&into[target], field) => used += 1,
                _ => return false,
            }
        }
        used == into.len() || into.iter().all(|field| field.is_nullable() || from.find(field.name()).is_some())
    }

    /// The columns that hold both; `None` where a column of the same name has types that do not go together.
    pub(crate) fn merge(self, one: &Fields, other: &Fields) -> Option<Fields> {
        let mut merged = Vec::with_capacity(one.len());
        for (hint, field) in one.iter().enumerate() {
            merged.push(match find(other, field.name(), hint) {
                Some(position) => self.merge_field(field, &other[position])?,
                None => Arc::new(field.as_ref().clone().with_nullable(true)),
            });
        }
        for (hint, field) in other.iter().enumerate() {
            if find(one, field.name(), hint).is_none() {
                merged.push(Arc::new(field.as_ref().clone().with_nullable(true)));
            }
        }
        Some(Fields::from(merged))
    }

    fn takes(self, into: &Field, from: &Field) -> bool {
        (into.is_nullable() || !from.is_nullable()) && self.takes_type(into.data_type(), from.data_type())
    }

    fn takes_type(self, into: &DataType, from: &DataType) -> bool {
        use DataType::{Boolean, Float32, Float64, Int8, Int16, Int32, Int64, List, Map, Struct, Utf8};
        match (into, from) {
            (into, from) if into == from => true,
            (Struct(into), Struct(from)) => self.holds(into, from),
            (List(into), List(from)) | (Map(into, _), Map(from, _)) => self.takes(into, from),
            (Int64, Int8 | Int16 | Int32) | (Int32, Int8 | Int16) | (Int16, Int8) | (Float64, Float32) => true,
            (Utf8, Boolean | Int64 | Float64) => self == Self::AsText,
            _ => false,
        }
    }

    fn merge_field(self, one: &FieldRef, other: &FieldRef) -> Option<FieldRef> {
        let nullable = one.is_nullable() || other.is_nullable();
        let data_type = self.merge_type(one.data_type(), other.data_type())?;
        Some(Arc::new(Field::new(one.name(), data_type, nullable)))
    }

    fn merge_type(self, one: &DataType, other: &DataType) -> Option<DataType> {
        match (one, other) {
            (DataType::Struct(one), DataType::Struct(other)) => self.merge(one, other).map(DataType::Struct),
            (DataType::List(one), DataType::List(other)) => self.merge_field(one, other).map(DataType::List),
            (DataType::Map(one, sorted), DataType::Map(other, _)) => {
                // keys of a map are never null, so they must not come out of a merge as nullable
                self.merge_field(one, other).filter(has_plain_key).map(|entries| DataType::Map(entries, *sorted))
            }
            (one, other) if self.takes_type(one, other) => Some(one.clone()),
            (one, other) if self.takes_type(other, one) => Some(other.clone()),
            _ => None,
        }
    }
}

/// Position of the field `name`, looked for at `hint` first: schemas mostly have the same order, and may be wide.
pub(crate) fn find(fields: &Fields, name: &str, hint: usize) -> Option<usize> {
    match fields.get(hint) {
        Some(field) if field.name() == name => Some(hint),
        _ => fields.iter().position(|field| field.name() == name),
    }
}

/// Whether the entries of a map have a key that is never null, and a value.
pub(crate) fn has_plain_key(entries: &FieldRef) -> bool {
    match entries.data_type() {
        DataType::Struct(fields) => fields.len() == 2 && !fields[0].is_nullable(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRICT: Agreement = Agreement::Strict;

    fn fields(list: &[(&str, DataType)]) -> Fields {
        list.iter().map(|(name, data_type)| Field::new(*name, data_type.clone(), true)).collect()
    }

    fn structure(list: &[(&str, DataType)]) -> DataType {
        DataType::Struct(fields(list))
    }

    fn list_of(item: DataType) -> DataType {
        DataType::List(Arc::new(Field::new("item", item, true)))
    }

    #[test]
    fn a_file_takes_narrower_rows_and_no_others() {
        let wide = fields(&[("a", DataType::Int64), ("b", structure(&[("x", DataType::Utf8), ("y", DataType::Utf8)]))]);
        assert!(STRICT.holds(&wide, &wide));
        assert!(STRICT.holds(&wide, &fields(&[("a", DataType::Int32)])));
        assert!(STRICT.holds(&wide, &fields(&[("b", structure(&[("y", DataType::Utf8)])), ("a", DataType::Int64)])));
        assert!(!STRICT.holds(&wide, &fields(&[("c", DataType::Int64)])));
        assert!(!STRICT.holds(&wide, &fields(&[("a", DataType::Utf8)])));
        let strict = Fields::from(vec![Field::new("a", DataType::Int64, false)]);
        assert!(!STRICT.holds(&strict, &fields(&[("a", DataType::Int64)])));
        assert!(!STRICT.holds(&strict, &Fields::empty()));
    }

    #[test]
    fn merged_columns_hold_both() {
        let one = fields(&[("a", DataType::Int32), ("b", list_of(structure(&[("x", DataType::Utf8)])))]);
        let other = Fields::from(vec![
            Field::new("c", DataType::Utf8, false),
            Field::new("b", list_of(structure(&[("y", DataType::Int64)])), false),
            Field::new("a", DataType::Int64, false),
        ]);
        let merged = STRICT.merge(&one, &other).unwrap();
        assert!(STRICT.holds(&merged, &one) && STRICT.holds(&merged, &other));
        assert_eq!(merged.iter().map(|field| field.name().as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(STRICT.merge(&one, &fields(&[("a", DataType::Utf8)])), None);
    }

    #[test]
    fn without_a_schema_texts_and_scalars_become_texts_and_stay_so() {
        let (texts, numbers) = (fields(&[("a", DataType::Utf8)]), fields(&[("a", DataType::Int64)]));
        for other in [DataType::Int64, DataType::Float64, DataType::Boolean] {
            let other = fields(&[("a", other)]);
            assert_eq!(Agreement::AsText.merge(&other, &texts), Some(texts.clone()));
            assert_eq!(Agreement::AsText.merge(&texts, &other), Some(texts.clone()));
            assert!(Agreement::AsText.holds(&texts, &other) && !Agreement::AsText.holds(&other, &texts));
        }
        let lists = fields(&[("a", list_of(DataType::Utf8))]);
        assert_eq!(Agreement::AsText.merge(&lists, &fields(&[("a", list_of(DataType::Int64))])), Some(lists.clone()));
        assert_eq!(Agreement::AsText.merge(&lists, &numbers), None);
    }
}
