//! An Avro schema, as the Avro specification 1.12 has it.

use std::sync::Arc;

use serde_json::{Map, Value};

/// A schema with its names resolved.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AvroSchema {
    /// The type.
    pub(crate) kind: Kind,
    /// Properties that the specification does not name, and those of logical types.
    pub(crate) properties: Arc<Map<String, Value>>,
}

/// The type of a schema.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    String,
    Array(Arc<AvroSchema>),
    Map(Arc<AvroSchema>),
    Union(Arc<[AvroSchema]>),
    Record(Arc<Record>),
    Enum(Arc<Enum>),
    Fixed(Arc<Fixed>),
    /// The record of this full name, inside of itself.
    Recursion(Arc<str>),
}

/// A record.
#[derive(Debug, PartialEq)]
pub(crate) struct Record {
    pub(crate) full_name: Arc<str>,
    pub(crate) doc: Option<String>,
    pub(crate) fields: Vec<AvroField>,
}

/// A field of a record.
#[derive(Debug, PartialEq)]
pub(crate) struct AvroField {
    pub(crate) name: String,
    pub(crate) schema: AvroSchema,
    pub(crate) doc: Option<String>,
    /// In Avro's JSON; `Some(Null)` is a default.
    pub(crate) default: Option<Value>,
}

/// An enum.
#[derive(Debug, PartialEq)]
pub(crate) struct Enum {
    pub(crate) full_name: Arc<str>,
    pub(crate) doc: Option<String>,
    pub(crate) symbols: Vec<String>,
    pub(crate) default: Option<String>,
}

/// Bytes of one length.
#[derive(Debug, PartialEq)]
pub(crate) struct Fixed {
    pub(crate) full_name: Arc<str>,
    pub(crate) size: usize,
}

impl AvroSchema {
    /// A schema without properties.
    pub(crate) fn of(kind: Kind) -> Self {
        Self { kind, properties: Arc::default() }
    }

    /// A text property.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.properties.get(name).and_then(Value::as_str)
    }

    /// The logical type.
    pub(crate) fn logical_type(&self) -> Option<&str> {
        self.text("logicalType")
    }

    /// The full name of a record, an enum or a fixed.
    pub(crate) fn full_name(&self) -> Option<&str> {
        match &self.kind {
            Kind::Record(record) => Some(&record.full_name),
            Kind::Enum(symbols) => Some(&symbols.full_name),
            Kind::Fixed(fixed) => Some(&fixed.full_name),
            Kind::Recursion(name) => Some(name),
            _ => None,
        }
    }

    /// The word for the type in a schema.
    pub(crate) fn type_name(&self) -> &'static str {
        match &self.kind {
            Kind::Null => "null",
            Kind::Boolean => "boolean",
            Kind::Int => "int",
            Kind::Long => "long",
            Kind::Float => "float",
            Kind::Double => "double",
            Kind::Bytes => "bytes",
            Kind::String => "string",
            Kind::Array(_) => "array",
            Kind::Map(_) => "map",
            Kind::Union(_) => "union",
            Kind::Record(_) | Kind::Recursion(_) => "record",
            Kind::Enum(_) => "enum",
            Kind::Fixed(_) => "fixed",
        }
    }
}
