//! Parses the schema member of an envelope, Connect's JSON form of a schema, and creates builders.
//!
//! `{"type":"struct","fields":[{"type":"int32","optional":false,"field":"id"},…],"optional":false,"name":"x.Y",…}`;
//! Decimal, Date, Time and Timestamp are identified by `name`. Connect's other attributes become field metadata.

use std::collections::HashMap;

use arrow::datatypes::{DataType, Field};
use serde_json::{Map, Value};
use volley_api::schema::{
    DATE, DECIMAL, DEFAULT, DOC, JSON_EXTENSION, NAME, PARAMETER_ORDER, PARAMETER_PREFIX, TIME, TIMESTAMP, VERSION,
};

use crate::json::columns::{
    Bytes, Cells, DecimalText, Ends, MAX_DIGITS_128, Node, OnNull, StructCells, Unknown, decode,
};
use crate::json::syntax::Cursor;

/// Maximum depth of a schema; Parquet and SQL do not support deeper values either.
const MAX_DEPTH: usize = 100;

/// The reason to refuse a schema.
type Refused = String;

/// Creates builders from schemas.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SchemaReader {
    /// `replace.null.with.default`
    pub(crate) replace_null_with_default: bool,
}

impl SchemaReader {
    /// Builders for the payloads of `schema`.
    ///
    /// # Errors
    /// The error of the schema.
    pub(crate) fn root(self, schema: &Value) -> Result<Node, Refused> {
        self.node(schema, "value", 0)
    }

    fn node(self, schema: &Value, field_name: &str, depth: usize) -> Result<Node, Refused> {
        let Value::Object(schema) = schema else { return Err("a schema must be an object".to_owned()) };
        if depth > MAX_DEPTH {
            return Err(format!("the schema is nested deeper than {MAX_DEPTH} levels"));
        }
        let attributes = Attributes::read(schema)?;
        let cells = self.cells(schema, &attributes, depth)?;
        let on_null = match (&attributes.default, attributes.optional) {
            (Some(default), _) if self.replace_null_with_default => OnNull::Default(default.as_bytes().into()),
            (_, true) => OnNull::Null,
            (_, false) => OnNull::Refuse,
        };
        let base = Field::new(field_name, DataType::Null, attributes.optional);
        let mut node = Node::given(base.with_metadata(attributes.metadata()), cells, on_null);
        if let Some(default) = &attributes.default {
            decode(&mut node, &mut Cursor::new(default.as_bytes()), 0)
                .map_err(|failure| format!("the default {default} does not fit its schema: {failure}"))?;
            node.truncate(0);
        }
        Ok(node)
    }

    fn cells(self, schema: &Map<String, Value>, attributes: &Attributes, depth: usize) -> Result<Cells, Refused> {
        let Some(Value::String(type_name)) = schema.get("type") else {
            return Err("a schema has no `type`".to_owned());
        };
        let part = |key: &str, name: &str| match schema.get(key) {
            Some(part) => self.node(part, name, depth + 1).map(Box::new),
            None => Err(format!("a schema of type {type_name} has no `{key}`")),
        };
        Ok(match (type_name.as_str(), attributes.name.as_deref()) {
            ("bytes", Some(DECIMAL)) => decimal_cells(attributes)?,
            ("int32", Some(DATE)) => Cells::Date { values: Vec::new(), iso: false },
            ("int32", Some(TIME)) => Cells::Time(Vec::new()),
            ("int64", Some(TIMESTAMP)) => Cells::Timestamp { values: Vec::new(), iso: false },
            ("boolean", _) => Cells::boolean(),
            ("int8", _) => Cells::Int8(Vec::new()),
            ("int16", _) => Cells::Int16(Vec::new()),
            ("int32", _) => Cells::Int32(Vec::new()),
            ("int64", _) => Cells::Int64 { values: Vec::new(), narrow: false },
            ("float", _) => Cells::Float32(Vec::new()),
            ("double", _) => Cells::Float64(Vec::new()),
            ("string", Some(JSON_EXTENSION)) => Cells::json(),
            ("string", _) => Cells::text(),
            ("bytes", _) => Cells::Binary(Bytes::default()),
            ("array", _) => Cells::List { ends: Ends::default(), element: part("items", "item")? },
            ("map", _) => {
                let mut key = part("keys", "key")?;
                // Arrow's maps cannot have null keys.
                if matches!(key.on_null, OnNull::Null) {
                    key.on_null = OnNull::Refuse;
                }
                if let Some(field) = key.field().cloned() {
                    key = Box::new(key.with_field(field.as_ref().clone().with_nullable(false)));
                }
                Cells::Map { ends: Ends::default(), key, value: part("values", "value")? }
            }
            ("struct", _) => Cells::Struct(Box::new(StructCells::new(self.fields(schema, depth)?, Unknown::Ignore))),
            (other, _) => return Err(format!("unknown schema type {other}")),
        })
    }

    fn fields(self, schema: &Map<String, Value>, depth: usize) -> Result<Vec<(String, Node)>, Refused> {
        let Some(Value::Array(fields)) = schema.get("fields") else {
            return Err("a schema of type struct has no `fields`".to_owned());
        };
        let mut named: Vec<(String, Node)> = Vec::with_capacity(fields.len());
        let mut seen = rustc_hash::FxHashSet::default();
        for field in fields {
            let Some(Value::String(name)) = field.get("field") else {
                return Err("a field of a struct schema has no name in `field`".to_owned());
            };
            if !seen.insert(name) {
                return Err(format!("a struct schema has two fields `{name}`"));
            }
            let node = self.node(field, name, depth + 1).map_err(|reason| format!("field `{name}`: {reason}"))?;
            named.push((name.clone(), node));
        }
        Ok(named)
    }
}

fn decimal_cells(attributes: &Attributes) -> Result<Cells, Refused> {
    let scale = attributes.parameters.iter().find(|(name, _)| name == "scale").map(|(_, scale)| scale.as_str());
    let scale: i32 = scale
        .and_then(|scale| scale.parse().ok())
        .ok_or_else(|| "a Decimal schema has no integer parameter `scale`".to_owned())?;
    let text = DecimalText::Base64;
    match i8::try_from(scale) {
        Ok(scale) if scale <= MAX_DIGITS_128 as i8 => {
            Ok(Cells::Decimal128 { values: Vec::new(), precision: MAX_DIGITS_128, scale, too_small: false, text })
        }
        Ok(scale) if scale <= 76 => Ok(Cells::Decimal256 { values: Vec::new(), scale, text }),
        _ => Err(format!("scale {scale} of a Decimal is beyond -128 to 76")),
    }
}

/// The attributes of a schema besides its type.
#[derive(Debug)]
struct Attributes {
    optional: bool,
    name: Option<String>,
    version: Option<i64>,
    doc: Option<String>,
    parameters: Vec<(String, String)>,
    /// As JSON.
    default: Option<String>,
}

impl Attributes {
    fn read(schema: &Map<String, Value>) -> Result<Self, Refused> {
        let text = |key: &str| match schema.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(format!("`{key}` of a schema must be a string")),
        };
        let optional = match schema.get("optional") {
            None | Some(Value::Null) => false,
            Some(Value::Bool(optional)) => *optional,
            Some(_) => return Err("`optional` of a schema must be a boolean".to_owned()),
        };
        let version = match schema.get("version") {
            None | Some(Value::Null) => None,
            Some(version) => Some(version.as_i64().ok_or("`version` of a schema must be an integer")?),
        };
        let default = schema.get("default").filter(|default| !default.is_null()).map(Value::to_string);
        Ok(Self { optional, name: text("name")?, version, doc: text("doc")?, parameters: parameters(schema)?, default })
    }

    /// Everything that the Arrow type does not express.
    fn metadata(&self) -> HashMap<String, String> {
        let implied = matches!(self.name.as_deref(), Some(DECIMAL | DATE | TIME | TIMESTAMP));
        let mut metadata = HashMap::new();
        let mut put = |key: &str, value: &Option<String>| {
            if let Some(value) = value {
                metadata.insert(key.to_owned(), value.clone());
            }
        };
        if !implied {
            put(NAME, &self.name);
            put(VERSION, &self.version.map(|version| version.to_string()));
        }
        put(DOC, &self.doc);
        put(DEFAULT, &self.default);
        for (name, value) in self.parameters.iter().filter(|(name, _)| !(implied && name == "scale")) {
            metadata.insert(format!("{PARAMETER_PREFIX}{name}"), value.clone());
        }
        if !self.parameters.is_sorted_by_key(|(name, _)| name) {
            let names: Vec<_> = self.parameters.iter().map(|(name, _)| name.as_str()).collect();
            metadata.insert(PARAMETER_ORDER.to_owned(), serde_json::Value::from(names).to_string());
        }
        metadata
    }
}

fn parameters(schema: &Map<String, Value>) -> Result<Vec<(String, String)>, Refused> {
    let parameters = match schema.get("parameters") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Object(parameters)) => parameters,
        Some(_) => return Err("`parameters` of a schema must be an object".to_owned()),
    };
    let pairs = parameters.iter().map(|(name, value)| match value {
        Value::String(value) => Ok((name.clone(), value.clone())),
        _ => Err(format!("parameter `{name}` of a schema must be a string")),
    });
    pairs.collect()
}
