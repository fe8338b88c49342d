//! The Java class of a value, which Connect's messages name.

use arrow::datatypes::DataType;

/// The class that Kafka Connect's own converters make of a value of this type.
pub fn class_of(data_type: &DataType) -> &'static str {
    match data_type {
        DataType::Boolean => "java.lang.Boolean",
        DataType::Int8 => "java.lang.Byte",
        DataType::Int16 => "java.lang.Short",
        DataType::Int32 => "java.lang.Integer",
        DataType::Int64 => "java.lang.Long",
        DataType::Float32 => "java.lang.Float",
        DataType::Float64 => "java.lang.Double",
        DataType::Binary | DataType::LargeBinary | DataType::FixedSizeBinary(_) => "[B",
        DataType::Decimal128(..) | DataType::Decimal256(..) => "java.math.BigDecimal",
        DataType::Date32 | DataType::Time32(_) | DataType::Timestamp(..) => "java.util.Date",
        DataType::List(_) | DataType::LargeList(_) => "java.util.ArrayList",
        DataType::Map(..) => "java.util.HashMap",
        DataType::Struct(_) => "org.apache.kafka.connect.data.Struct",
        _ => "java.lang.String",
    }
}
