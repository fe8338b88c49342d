//! Types of new columns.

use arrow::datatypes::{DataType, Field};
use volley_api::schema;
use volley_jdbc::TargetColumn;

/// The type of a new column.
pub(super) fn column_type(field: &Field, is_key: bool) -> String {
    let name = match field.data_type() {
        DataType::Boolean | DataType::Int8 => "TINYINT",
        DataType::Int16 => "SMALLINT",
        DataType::Int32 => "INT",
        DataType::Int64 => "BIGINT",
        DataType::Float32 => "FLOAT",
        DataType::Float64 => "DOUBLE",
        DataType::Binary => "VARBINARY(1024)",
        DataType::Decimal128(_, scale) | DataType::Decimal256(_, scale) => {
            return format!("DECIMAL(65,{})", (*scale).clamp(0, 30));
        }
        DataType::Date32 => "DATE",
        DataType::Time64(_) => "TIME(6)",
        DataType::Timestamp(..) => "DATETIME(6)",
        // a key of any length is none in MySQL; two that differ in capitals are two
        _ if is_key => "VARCHAR(255) BINARY",
        DataType::List(_) => "JSON",
        _ if schema::is_json_text(field) && !schema::is_mixed(field) => "JSON",
        _ => "TEXT",
    };
    name.to_owned()
}

/// A type that has room for values of a field where the column's has none.
pub(super) fn wider_type(column: &TargetColumn, field: &Field) -> Option<String> {
    if column.declared.contains("unsigned") {
        return None;
    }
    let rank =
        |name: &str| ["tinyint", "smallint", "mediumint", "int", "bigint"].iter().position(|known| *known == name);
    let name = match (column.type_name.as_str(), field.data_type()) {
        (have, DataType::Int16) if rank(have) < rank("smallint") => "SMALLINT",
        (have, DataType::Int32) if rank(have) < rank("int") => "INT",
        (have, DataType::Int64) if rank(have) < rank("bigint") => "BIGINT",
        ("float", DataType::Float64) => "DOUBLE",
        ("tinyint" | "smallint" | "mediumint" | "int", DataType::Float64) => "DOUBLE",
        _ => return None,
    };
    // those without a rank are no integers
    let is_known = rank(&column.type_name).is_some() || column.type_name == "float";
    is_known.then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_made_wider_where_their_values_stay() {
        let wider = |type_name: &str, data_type| {
            let column = TargetColumn {
                type_name: type_name.to_owned(),
                declared: type_name.to_owned(),
                ..TargetColumn::default()
            };
            wider_type(&column, &Field::new("a", data_type, true))
        };
        assert_eq!(wider("int", DataType::Int64).as_deref(), Some("BIGINT"));
        assert_eq!(wider("tinyint", DataType::Int16).as_deref(), Some("SMALLINT"));
        assert_eq!(wider("bigint", DataType::Int32), None);
        assert_eq!(wider("varchar", DataType::Int64), None);
        assert_eq!(wider("float", DataType::Float64).as_deref(), Some("DOUBLE"));
        assert_eq!(wider("decimal", DataType::Int64), None);
    }

    #[test]
    fn a_text_that_is_a_key_has_a_length() {
        let of = |data_type, is_key| column_type(&Field::new("a", data_type, true), is_key);
        assert_eq!(of(DataType::Utf8, true), "VARCHAR(255) BINARY");
        assert_eq!(of(DataType::Utf8, false), "TEXT");
        assert_eq!(of(DataType::Decimal128(38, 4), false), "DECIMAL(65,4)");
    }
}
