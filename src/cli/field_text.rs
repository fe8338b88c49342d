//! Fields of records as text: name, Connect's type, whether a value may be missing.

use arrow::datatypes::{DataType, Field};
use volley_api::schema::NAME;

use super::records_text::printable;

/// One line for each field of a value, or one for a value that is no struct.
pub(super) fn field_lines(value: &Field) -> Vec<String> {
    match value.data_type() {
        DataType::Struct(fields) => fields.iter().map(|field| line(field)).collect(),
        _ => vec![line(value)],
    }
}

fn line(field: &Field) -> String {
    let optional = if field.is_nullable() { "optional" } else { "required" };
    format!("{}: {}, {optional}", printable(field.name()), type_text(field))
}

/// The type in Connect's words.
fn type_text(field: &Field) -> String {
    let inner = |field: &Field| type_text(field);
    match field.data_type() {
        DataType::Null => "not known (always null)".to_owned(),
        DataType::Boolean => "BOOLEAN".to_owned(),
        DataType::Int8 => "INT8".to_owned(),
        DataType::Int16 => "INT16".to_owned(),
        DataType::Int32 => "INT32".to_owned(),
        DataType::Int64 => "INT64".to_owned(),
        DataType::Float32 => "FLOAT32".to_owned(),
        DataType::Float64 => "FLOAT64".to_owned(),
        DataType::Utf8 => "STRING".to_owned(),
        DataType::Binary => "BYTES".to_owned(),
        DataType::Date32 => "Date".to_owned(),
        DataType::Time32(_) => "Time".to_owned(),
        DataType::Timestamp(..) => "Timestamp".to_owned(),
        DataType::Decimal128(_, scale) | DataType::Decimal256(_, scale) => format!("Decimal({scale})"),
        DataType::List(item) => format!("ARRAY({})", inner(item)),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(parts) if parts.len() == 2 => format!("MAP({}, {})", inner(&parts[0]), inner(&parts[1])),
            _ => "MAP".to_owned(),
        },
        DataType::Struct(fields) => {
            let members: Vec<String> =
                fields.iter().map(|field| format!("{} {}", printable(field.name()), inner(field))).collect();
            let name = field.metadata().get(NAME).map(|name| format!("{} ", printable(name))).unwrap_or_default();
            format!("STRUCT({name}{})", members.join(", "))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::datatypes::Fields;

    use super::*;

    #[test]
    fn fields_are_shown_with_the_types_of_connect() {
        let item =
            Field::new("item", DataType::Struct(Fields::from(vec![Field::new("sku", DataType::Utf8, true)])), true);
        let fields = Fields::from(vec![
            Field::new("id", DataType::Int64, false),
            Field::new("price", DataType::Decimal128(38, 2), true),
            Field::new("items", DataType::List(Arc::new(item)), true),
        ]);
        let lines = field_lines(&Field::new("value", DataType::Struct(fields), true));
        assert_eq!(
            lines,
            ["id: INT64, required", "price: Decimal(2), optional", "items: ARRAY(STRUCT(sku STRING)), optional"]
        );
        assert_eq!(field_lines(&Field::new("value", DataType::Utf8, true)), ["value: STRING, optional"]);
    }
}
