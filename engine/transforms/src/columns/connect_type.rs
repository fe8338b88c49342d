//! Columns of types that only SQL and sources make, as columns of Connect's types.

use std::sync::Arc;

use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, TimeUnit};
use volley_api::{Column, Result, schema};

/// The type of Connect that values of this type have; `None` if it is one already, or there is none.
fn connect_type(data_type: &DataType) -> Option<DataType> {
    Some(match data_type {
        DataType::UInt8 => DataType::Int16,
        DataType::UInt16 => DataType::Int32,
        DataType::UInt32 => DataType::Int64,
        DataType::UInt64 => DataType::Decimal128(20, 0),
        DataType::Float16 => DataType::Float32,
        DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => DataType::Binary,
        DataType::Date64 => DataType::Date32,
        DataType::Time32(TimeUnit::Second) | DataType::Time64(_) => DataType::Time32(TimeUnit::Millisecond),
        DataType::Timestamp(unit, zone) if (unit, zone.as_deref()) != (&TimeUnit::Millisecond, Some("UTC")) => {
            schema::timestamp_type()
        }
        DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) => {
            DataType::Decimal128(*precision, *scale)
        }
        DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _) => DataType::List(Arc::clone(item)),
        DataType::Dictionary(_, values) => connect_type(values).unwrap_or_else(|| values.as_ref().clone()),
        _ => return None,
    })
}

/// The column with a type of Connect, where its own is none.
pub(crate) fn as_connect(column: &Column) -> Result<Column> {
    let Some(data_type) = connect_type(column.field.data_type()) else { return Ok(column.clone()) };
    let array = cast(&column.array, &data_type)?;
    Ok(Column::new(Arc::new(Field::clone(&column.field).with_data_type(data_type)), array))
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray, StringViewArray, TimestampMicrosecondArray, UInt64Array};
    use arrow::datatypes::Decimal128Type;
    use volley_api::testing::column;

    use super::*;

    #[test]
    fn values_keep_what_they_say() {
        let texts = as_connect(&column(StringViewArray::from(vec![Some("a"), None]))).unwrap();
        assert_eq!(texts.array.as_string::<i32>().iter().collect::<Vec<_>>(), [Some("a"), None]);
        let wide = as_connect(&column(UInt64Array::from(vec![u64::MAX]))).unwrap();
        assert_eq!(wide.array.as_primitive::<Decimal128Type>().value(0), i128::from(u64::MAX));
        let times = as_connect(&column(TimestampMicrosecondArray::from(vec![1_500]))).unwrap();
        assert_eq!((times.field.data_type(), times.array.len()), (&schema::timestamp_type(), 1));
    }
}
