//! Connect's Arrow types, and the casts of other result types to them.

use std::sync::Arc;

use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DECIMAL256_MAX_PRECISION, DataType, Field, FieldRef, TimeUnit};
use volley_api::schema::timestamp_type;

/// The type of Connect's data model for all values of `data_type`; the same type if it is one.
///
/// # Errors
/// The name of a type without an equivalent in Connect.
pub(crate) fn connect_type(data_type: &DataType) -> Result<DataType, String> {
    Ok(match data_type {
        DataType::Null
        | DataType::Boolean
        | DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::Float32
        | DataType::Float64
        | DataType::Utf8
        | DataType::Binary
        | DataType::Date32 => data_type.clone(),
        DataType::UInt8 => DataType::Int16,
        DataType::UInt16 => DataType::Int32,
        DataType::UInt32 | DataType::UInt64 => DataType::Int64,
        DataType::Float16 => DataType::Float32,
        DataType::Utf8View | DataType::LargeUtf8 => DataType::Utf8,
        DataType::BinaryView | DataType::LargeBinary | DataType::FixedSizeBinary(_) => DataType::Binary,
        DataType::Date64 => DataType::Date32,
        DataType::Time32(_) | DataType::Time64(_) => DataType::Time32(TimeUnit::Millisecond),
        DataType::Timestamp(..) => timestamp_type(),
        DataType::Decimal32(_, scale) | DataType::Decimal64(_, scale) | DataType::Decimal128(_, scale) => {
            DataType::Decimal128(DECIMAL128_MAX_PRECISION, *scale)
        }
        DataType::Decimal256(_, scale) => DataType::Decimal256(DECIMAL256_MAX_PRECISION, *scale),
        DataType::Dictionary(_, values) => connect_type(values)?,
        DataType::RunEndEncoded(_, values) => connect_type(values.data_type())?,
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _) => DataType::List(connect_field(item)?),
        DataType::Struct(fields) => {
            DataType::Struct(fields.iter().map(connect_field).collect::<Result<Vec<FieldRef>, String>>()?.into())
        }
        DataType::Map(entries, sorted) => DataType::Map(connect_field(entries)?, *sorted),
        DataType::Duration(_) | DataType::Interval(_) | DataType::Union(..) => return Err(data_type.to_string()),
    })
}

fn connect_field(field: &FieldRef) -> Result<FieldRef, String> {
    let data_type = connect_type(field.data_type())?;
    if &data_type == field.data_type() {
        return Ok(Arc::clone(field));
    }
    Ok(Arc::new(Field::new(field.name(), data_type, field.is_nullable()).with_metadata(field.metadata().clone())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_get_the_types_that_converters_and_sinks_know() {
        let list = |item| DataType::List(Arc::new(Field::new("item", item, true)));
        for (from, to) in [
            (DataType::Utf8View, DataType::Utf8),
            (DataType::UInt64, DataType::Int64),
            (DataType::Timestamp(TimeUnit::Nanosecond, None), timestamp_type()),
            (DataType::Decimal128(10, 2), DataType::Decimal128(38, 2)),
            (list(DataType::LargeUtf8), list(DataType::Utf8)),
            (DataType::FixedSizeBinary(16), DataType::Binary),
        ] {
            assert_eq!(connect_type(&from).unwrap(), to);
            assert_eq!(connect_type(&to).unwrap(), to);
        }
        assert!(connect_type(&DataType::Duration(TimeUnit::Second)).is_err());
    }
}
