//! Types of columns that are written in binary, and which values they take.

use arrow::datatypes::{DataType, Field};
use tokio_postgres::types::Type;
use volley_api::schema;
use volley_jdbc::TargetColumn;

/// A type whose binary form is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TargetType {
    Boolean,
    Int2,
    Int4,
    Int8,
    Float4,
    Float8,
    Numeric,
    Text,
    Json,
    Jsonb,
    Uuid,
    Bytes,
    Date,
    Time,
    Timestamp,
    TimestampWithZone,
    Array(Box<TargetType>),
}

impl TargetType {
    /// The type that PostgreSQL calls so; `None` if it is none of these.
    pub(super) fn of(name: &str) -> Option<Self> {
        if let Some(element) = name.strip_suffix("[]") {
            return Self::of(element).map(|element| Self::Array(Box::new(element)));
        }
        Some(match name {
            "boolean" => Self::Boolean,
            "smallint" => Self::Int2,
            "integer" => Self::Int4,
            "bigint" => Self::Int8,
            "real" => Self::Float4,
            "double precision" => Self::Float8,
            "numeric" => Self::Numeric,
            "text" | "character varying" | "bpchar" | "name" => Self::Text,
            "json" => Self::Json,
            "jsonb" => Self::Jsonb,
            "uuid" => Self::Uuid,
            "bytea" => Self::Bytes,
            "date" => Self::Date,
            "time without time zone" => Self::Time,
            "timestamp without time zone" => Self::Timestamp,
            "timestamp with time zone" => Self::TimestampWithZone,
            _ => return None,
        })
    }

    /// The type of a column, if it takes values of this type in binary.
    pub(super) fn direct(column: &TargetColumn, data_type: &DataType) -> Option<Self> {
        Self::of(&column.type_name).filter(|target| target.takes(data_type))
    }

    /// The type in which values of this type are sent to a column that does not take them in binary: as text.
    pub(super) fn staged(data_type: &DataType) -> Self {
        match data_type {
            DataType::List(_) => Self::Array(Box::new(Self::Text)),
            _ => Self::Text,
        }
    }

    /// Whether there is a binary form for values of this type.
    pub(super) fn takes(&self, data_type: &DataType) -> bool {
        let is_number = data_type.is_integer() || data_type.is_floating() || data_type.is_decimal();
        match (self, data_type) {
            (_, DataType::Null) => true,
            (Self::Array(element), DataType::List(item)) => element.takes(item.data_type()),
            (Self::Array(_), _) | (_, DataType::List(_)) => false,
            (Self::Boolean, DataType::Boolean)
            | (Self::Bytes | Self::Uuid, DataType::Binary)
            | (Self::Uuid | Self::Json | Self::Jsonb, DataType::Utf8)
            | (Self::Date | Self::Timestamp, DataType::Date32 | DataType::Timestamp(..))
            | (Self::Time, DataType::Time64(_))
            | (Self::TimestampWithZone, DataType::Timestamp(..)) => true,
            (Self::Int2 | Self::Int4 | Self::Int8, _) => data_type.is_integer() || data_type.is_decimal(),
            (Self::Float4 | Self::Float8 | Self::Numeric, _) => is_number,
            (Self::Text, _) => data_type != &DataType::Binary,
            _ => false,
        }
    }

    /// Its name in SQL.
    pub(super) fn sql(&self) -> String {
        match self {
            Self::Boolean => "boolean",
            Self::Int2 => "smallint",
            Self::Int4 => "integer",
            Self::Int8 => "bigint",
            Self::Float4 => "real",
            Self::Float8 => "double precision",
            Self::Numeric => "numeric",
            Self::Text => "text",
            Self::Json => "json",
            Self::Jsonb => "jsonb",
            Self::Uuid => "uuid",
            Self::Bytes => "bytea",
            Self::Date => "date",
            Self::Time => "time",
            Self::Timestamp => "timestamp",
            Self::TimestampWithZone => "timestamptz",
            Self::Array(element) => return format!("{}[]", element.sql()),
        }
        .to_owned()
    }

    /// Its number, where it is the type of an array's elements.
    pub(super) fn oid(&self) -> u32 {
        let of = match self {
            Self::Boolean => Type::BOOL,
            Self::Int2 => Type::INT2,
            Self::Int4 => Type::INT4,
            Self::Int8 => Type::INT8,
            Self::Float4 => Type::FLOAT4,
            Self::Float8 => Type::FLOAT8,
            Self::Numeric => Type::NUMERIC,
            Self::Text => Type::TEXT,
            Self::Json => Type::JSON,
            Self::Jsonb => Type::JSONB,
            Self::Uuid => Type::UUID,
            Self::Bytes => Type::BYTEA,
            Self::Date => Type::DATE,
            Self::Time => Type::TIME,
            Self::Timestamp => Type::TIMESTAMP,
            Self::TimestampWithZone => Type::TIMESTAMPTZ,
            Self::Array(element) => return element.oid(),
        };
        of.oid()
    }
}

/// Whether rows can be copied straight into a column: the server checks the type of an array's elements there.
pub(super) fn is_copied(column: &TargetColumn, data_type: &DataType) -> bool {
    match TargetType::direct(column, data_type) {
        Some(TargetType::Array(element)) => *element != TargetType::Text || column.type_name == "text[]",
        direct => direct.is_some(),
    }
}

/// The type of a new column.
pub(super) fn column_type(field: &Field) -> String {
    let name = match field.data_type() {
        DataType::Boolean => "BOOLEAN",
        DataType::Int8 | DataType::Int16 => "SMALLINT",
        DataType::Int32 => "INT",
        DataType::Int64 => "BIGINT",
        DataType::Float32 => "REAL",
        DataType::Float64 => "DOUBLE PRECISION",
        DataType::Binary => "BYTEA",
        DataType::Decimal128(..) | DataType::Decimal256(..) => "DECIMAL",
        DataType::Date32 => "DATE",
        DataType::Time64(_) => "TIME",
        DataType::Timestamp(..) if is_named(field, "io.debezium.time.ZonedTimestamp") => "TIMESTAMPTZ",
        DataType::Timestamp(..) => "TIMESTAMP",
        DataType::Utf8 if is_named(field, "io.debezium.data.Json") => "JSONB",
        DataType::Utf8 if is_named(field, "io.debezium.data.Uuid") => "UUID",
        DataType::List(item) => return format!("{}[]", column_type(item)),
        _ if schema::is_json_text(field) && !schema::is_mixed(field) => "JSONB",
        _ => "TEXT",
    };
    name.to_owned()
}

fn is_named(field: &Field, name: &str) -> bool {
    field.metadata().get(schema::NAME).is_some_and(|known| known == name)
}

/// A type that has room for values of a field where the column's has none.
pub(super) fn wider_type(column: &TargetColumn, field: &Field) -> Option<&'static str> {
    let have = TargetType::of(&column.type_name)?;
    // a domain is what its owner makes of it
    if have != TargetType::Numeric && column.declared != column.type_name {
        return None;
    }
    match (have, field.data_type()) {
        (TargetType::Int2, DataType::Int32) => Some("integer"),
        (TargetType::Int2 | TargetType::Int4, DataType::Int64) => Some("bigint"),
        (TargetType::Float4, DataType::Float64) => Some("double precision"),
        (TargetType::Int2 | TargetType::Int4, DataType::Float64) => Some("double precision"),
        (TargetType::Int2 | TargetType::Int4 | TargetType::Int8, data_type) if data_type.is_decimal() => {
            Some("numeric")
        }
        (TargetType::Numeric, DataType::Decimal128(_, scale) | DataType::Decimal256(_, scale)) => {
            let declared = column.declared.strip_suffix(')')?.rsplit_once(',')?.1.parse::<i8>().ok()?;
            (*scale > declared).then_some("numeric")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(type_name: &str, declared: &str) -> TargetColumn {
        TargetColumn { type_name: type_name.to_owned(), declared: declared.to_owned(), ..TargetColumn::default() }
    }

    #[test]
    fn columns_are_made_wider_where_their_values_stay() {
        let wider = |type_name, declared, data_type| {
            wider_type(&column(type_name, declared), &Field::new("a", data_type, true))
        };
        assert_eq!(wider("smallint", "smallint", DataType::Int32), Some("integer"));
        assert_eq!(wider("bigint", "bigint", DataType::Int32), None);
        assert_eq!(wider("real", "real", DataType::Float64), Some("double precision"));
        assert_eq!(wider("numeric", "numeric(10,2)", DataType::Decimal128(38, 3)), Some("numeric"));
        assert_eq!(wider("numeric", "numeric(10,2)", DataType::Decimal128(38, 2)), None);
        assert_eq!(wider("numeric", "numeric", DataType::Decimal128(38, 3)), None);
        assert_eq!(wider("text", "text", DataType::Int64), None);
        assert_eq!(wider("integer", "age", DataType::Int64), None);
    }

    #[test]
    fn what_has_no_binary_form_goes_by_text() {
        let direct = |name: &str, data_type: &DataType| TargetType::direct(&column(name, name), data_type).is_some();
        assert!(direct("integer", &DataType::Int64) && direct("text", &DataType::Int64));
        for name in ["inet", "mood", "interval", "money", "citext", "inet[]"] {
            assert!(!direct(name, &DataType::Utf8), "{name}");
        }
        assert!(!direct("integer", &DataType::Utf8) && !direct("bytea", &DataType::Utf8));
        let texts = DataType::List(Field::new_list_field(DataType::Utf8, true).into());
        assert!(is_copied(&column("text[]", "text[]"), &texts));
        assert!(!is_copied(&column("character varying[]", "character varying(3)[]"), &texts));
    }
}
