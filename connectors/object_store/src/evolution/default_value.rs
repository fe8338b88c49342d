//! The default of a schema, as an array.

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray, new_null_array};
use arrow::datatypes::{DataType, FieldRef};
use volley_api::schema::DEFAULT;
use volley_api::{
    Column, ConfigMap, Converter, OffsetRange, Origin, RawBatch, Result, Side, TimestampType, TopicPartition,
    Unserialized,
};
use volley_converters::JsonConverter;

/// The default of `field`, as an array of one value of its type. `None`: it has none, or one that is not of its type.
pub(crate) fn default_value(field: &FieldRef) -> Result<Option<ArrayRef>> {
    if field.data_type() == &DataType::Null || !field.metadata().contains_key(DEFAULT) {
        return Ok(None);
    }
    // what a schema says of a default is JsonConverter's: with its schema, a null is written as the default and read back
    let mut converter = JsonConverter::new(&ConfigMap::new(), Side::Value)?;
    let null = Column::new(Arc::clone(field), new_null_array(field.data_type(), 1));
    let written = converter.from_connect(&Unserialized::new("", &null))?;
    if !written.rejected.is_empty() {
        return Ok(None);
    }
    let read = converter.to_connect(&alone(written.bytes), Side::Value)?;
    let array = read.runs.into_iter().next().map(|run| run.column.array);
    Ok(array.filter(|array| array.data_type() == field.data_type() && array.is_valid(0)))
}

fn alone(message: BinaryArray) -> RawBatch {
    let origin = Origin {
        partition: TopicPartition::new("", 0),
        range: OffsetRange { first: 0, end: 1 },
        offsets: [0].into_iter().collect(),
        timestamps: [-1].into_iter().collect(),
        timestamp_type: TimestampType::CreateTime,
    };
    RawBatch { origin: Arc::new(origin), keys: BinaryArray::new_null(1), values: message, headers: None }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use arrow::array::{Array, AsArray};
    use arrow::datatypes::{Field, Int16Type};

    use super::*;

    fn field(data_type: DataType, default: &str, is_optional: bool) -> FieldRef {
        let metadata = HashMap::from([(DEFAULT.to_owned(), default.to_owned())]);
        Arc::new(Field::new("f", data_type, is_optional).with_metadata(metadata))
    }

    #[test]
    fn defaults_have_the_type_of_their_field() {
        for is_optional in [true, false] {
            let number = default_value(&field(DataType::Int16, "7", is_optional)).unwrap().unwrap();
            assert_eq!(number.as_primitive::<Int16Type>().values(), &[7]);
            let text = default_value(&field(DataType::Utf8, "\"a \\\"b\\\"\"", is_optional)).unwrap().unwrap();
            assert_eq!(text.as_string::<i32>().value(0), "a \"b\"");
        }
        let inner = DataType::Struct(vec![Field::new("x", DataType::Int64, true)].into());
        let nested = default_value(&field(inner, r#"{"x":null}"#, false)).unwrap().unwrap();
        assert_eq!((nested.len(), nested.as_struct().column(0).null_count()), (1, 1));
    }

    #[test]
    fn what_is_no_default_is_none() {
        for default in ["null", "\"x\"", "{"] {
            assert_eq!(default_value(&field(DataType::Int64, default, true)).unwrap(), None, "{default}");
        }
        assert_eq!(default_value(&Arc::new(Field::new("f", DataType::Int64, true))).unwrap(), None);
    }
}
