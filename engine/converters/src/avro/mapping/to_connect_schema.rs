//! Avro schemas to Connect's.
//!
//! | Avro | Connect |
//! |---|---|
//! | boolean, int, long, float, double, bytes, string | BOOLEAN, INT32 (`connect.type`: INT8, INT16), INT64, FLOAT32, FLOAT64, BYTES, STRING |
//! | date, time-millis, timestamp-millis, decimal | Date, Time, Timestamp, Decimal; other logical types are their base type |
//! | fixed, enum | BYTES, STRING, with parameters that say so |
//! | array, map | ARRAY, MAP; an array of `MapEntry` is a MAP |
//! | record | STRUCT |
//! | null and one type | that type, optional |
//! | other unions | a STRUCT named `io.confluent.connect.avro.Union`, of which one field has a value |
//! | a record inside of itself | STRING, the value as JSON: Arrow's types have an end |

use std::sync::Arc;

use serde_json::{Map, Value, json};
use volley_api::schema::{DATE, DECIMAL, TIME, TIMESTAMP};

use crate::avro::mapping::defaults::to_connect_default;
use crate::avro::mapping::semantic_types::{LOGICAL_TYPE, SemanticType};
use crate::avro::mapping::settings::AvroSettings;
use crate::avro::schema::avro_schema::{AvroSchema, Kind, Record};
use crate::avro::schema::names::{
    CONNECT_DEFAULT, CONNECT_DOC, CONNECT_NAME, CONNECT_PARAMETERS, CONNECT_TYPE, CONNECT_VERSION, DECIMAL_PRECISION,
    DEFAULT_PRECISION, DEFAULT_RECORD, ENUM, ENUM_DEFAULT, ENUM_DOC, FIELD_DEFAULT, FIELD_DOC, FIXED_SIZE,
    INTERNAL_TYPE, JAVA_STRING, MAP_ENTRY, MAP_ENTRY_RECORD, RECORD_DOC, UNION, simple_name,
};
use crate::avro::values::json_text::JsonPlan;
use crate::avro::values::read_plan::ReadPlan;

type Refused = String;

/// Connect's schema of an Avro schema in its JSON form, and how its values are read.
///
/// # Errors
/// What Connect has no type for.
pub(crate) fn to_connect_schema(schema: &AvroSchema, settings: AvroSettings) -> Result<(Value, ReadPlan), Refused> {
    let mut mapping = Mapping { settings, records: Vec::new() };
    mapping.schema(schema, Place::default())
}

/// Where a schema stands.
#[derive(Clone, Copy, Debug, Default)]
struct Place<'a> {
    /// It stands in a union: its value may be absent.
    is_optional: bool,
    /// The default of the field that has this type.
    field_default: Option<&'a Value>,
}

/// The mapping of one schema.
struct Mapping {
    settings: AvroSettings,
    /// The records around the current schema.
    records: Vec<Arc<Record>>,
}

impl Mapping {
    fn schema(&mut self, schema: &AvroSchema, place: Place<'_>) -> Result<(Value, ReadPlan), Refused> {
        if let Kind::Union(branches) = &schema.kind {
            return self.union(branches, place);
        }
        let mut connect = Map::new();
        let mut parameters = Map::new();
        let plan = self.put_type(schema, &mut connect, &mut parameters)?;
        connect.insert("optional".to_owned(), Value::Bool(place.is_optional));
        self.put_names(schema, &mut connect)?;
        self.put_doc(schema, &mut connect, &mut parameters);
        if self.settings.meta_data
            && let Some(Value::Object(given)) = schema.properties.get(CONNECT_PARAMETERS)
        {
            let texts = given.iter().filter_map(|(name, value)| Some((name.clone(), json!(value.as_str()?))));
            parameters.extend(texts);
        }
        self.put_default(schema, place, &mut connect, &mut parameters)?;
        if !parameters.is_empty() {
            connect.insert("parameters".to_owned(), Value::Object(parameters));
        }
        Ok((Value::Object(connect), plan))
    }

    /// Adds the type, what belongs to it, and the name of a logical type.
    fn put_type(
        &mut self,
        schema: &AvroSchema,
        connect: &mut Map<String, Value>,
        parameters: &mut Map<String, Value>,
    ) -> Result<ReadPlan, Refused> {
        let mut put = |name: &str, value: Value| connect.insert(name.to_owned(), value);
        if schema.logical_type() == Some("decimal") && matches!(schema.kind, Kind::Bytes | Kind::Fixed(_)) {
            put("type", json!("bytes"));
            put("name", json!(DECIMAL));
            put("version", json!(1));
            let number = |name: &str| schema.properties.get(name).and_then(Value::as_u64);
            parameters.insert("scale".to_owned(), json!(number("scale").unwrap_or(0).to_string()));
            if let Some(precision) = number("precision").filter(|precision| *precision != DEFAULT_PRECISION) {
                parameters.insert(DECIMAL_PRECISION.to_owned(), json!(precision.to_string()));
            }
            return Ok(match &schema.kind {
                Kind::Fixed(fixed) => ReadPlan::Fixed(fixed.size),
                _ => ReadPlan::Bytes,
            });
        }
        Ok(match &schema.kind {
            Kind::Null => return Err("a value that is always null has no type in Connect".to_owned()),
            Kind::Boolean => {
                put("type", json!("boolean"));
                ReadPlan::Boolean
            }
            Kind::Int | Kind::Long => {
                put("type", json!(integer_type(schema)?));
                if let Some(name) = temporal_name(schema) {
                    put("name", json!(name));
                    put("version", json!(1));
                } else if let Some(semantic) = self.semantic_type(schema) {
                    put("name", json!(semantic.name));
                    put("version", json!(1));
                    if !semantic.is_usual {
                        parameters.insert(LOGICAL_TYPE.to_owned(), json!(semantic.logical_type));
                    }
                }
                ReadPlan::Integer
            }
            Kind::Float => {
                put("type", json!("float"));
                ReadPlan::Float
            }
            Kind::Double => {
                put("type", json!("double"));
                ReadPlan::Double
            }
            Kind::Bytes => {
                put("type", json!("bytes"));
                ReadPlan::Bytes
            }
            Kind::String => {
                put("type", json!("string"));
                if let Some(semantic) = self.semantic_type(schema) {
                    put("name", json!(semantic.name));
                    put("version", json!(1));
                }
                if let Some(class) = schema.text(JAVA_STRING) {
                    parameters.insert(JAVA_STRING.to_owned(), json!(class));
                }
                ReadPlan::Text
            }
            Kind::Fixed(fixed) => {
                put("type", json!("bytes"));
                parameters.insert(FIXED_SIZE.to_owned(), json!(fixed.size.to_string()));
                ReadPlan::Fixed(fixed.size)
            }
            Kind::Enum(symbols) => {
                put("type", json!("string"));
                let mut parameter = |name: String, value: &str| parameters.insert(name, json!(value));
                if self.settings.meta_data {
                    let name = simple_name(&symbols.full_name);
                    if let Some(doc) = &symbols.doc {
                        parameter(format!("{ENUM_DOC}{name}"), doc);
                    }
                    if let Some(default) = &symbols.default {
                        parameter(format!("{ENUM_DEFAULT}{name}"), default);
                    }
                }
                parameter(ENUM.to_owned(), &symbols.full_name);
                for symbol in &symbols.symbols {
                    parameter(format!("{ENUM}.{symbol}"), symbol);
                }
                ReadPlan::Symbol(symbols.symbols.clone().into())
            }
            Kind::Array(items) => match entry_of(items) {
                Some(entry) => {
                    let (key, key_plan) = self.schema(&entry.fields[0].schema, Place::default())?;
                    let (value, value_plan) = self.schema(&entry.fields[1].schema, Place::default())?;
                    put("type", json!("map"));
                    put("keys", key);
                    put("values", value);
                    ReadPlan::Entries(Box::new((key_plan, value_plan)))
                }
                None => {
                    let (items, plan) = self.schema(items, Place::default())?;
                    put("type", json!("array"));
                    put("items", items);
                    ReadPlan::Array(Box::new(plan))
                }
            },
            Kind::Map(values) => {
                let (values, plan) = self.schema(values, Place::default())?;
                put("type", json!("map"));
                put("keys", json!({"type": "string", "optional": false}));
                put("values", values);
                ReadPlan::Map(Box::new(plan))
            }
            Kind::Record(record) => {
                put("type", json!("struct"));
                let (fields, plans) = self.fields(record, parameters)?;
                put("fields", Value::Array(fields));
                ReadPlan::Struct(plans)
            }
            Kind::Recursion(name) => {
                put("type", json!("string"));
                let around = self.records.iter().rev().find(|record| record.full_name == *name);
                let record = around.ok_or_else(|| format!("record `{name}` is not defined"))?;
                ReadPlan::Json(Arc::new(JsonPlan::new(record, &self.records)))
            }
            // handled by its caller
            Kind::Union(_) => return Err("a union stands in a union".to_owned()),
        })
    }

    /// Debezium's type, if it is wanted, and the schema has no other name.
    fn semantic_type(&self, schema: &AvroSchema) -> Option<&'static SemanticType> {
        let semantic = SemanticType::of_avro(schema).filter(|_| self.settings.debezium_names)?;
        schema.text(CONNECT_NAME).is_none_or(|name| name == semantic.name).then_some(semantic)
    }

    fn fields(
        &mut self,
        record: &Arc<Record>,
        parameters: &mut Map<String, Value>,
    ) -> Result<(Vec<Value>, Vec<ReadPlan>), Refused> {
        self.records.push(Arc::clone(record));
        let mut fields = Vec::with_capacity(record.fields.len());
        let mut plans = Vec::with_capacity(record.fields.len());
        for field in &record.fields {
            let place = Place { is_optional: false, field_default: field.default.as_ref() };
            let (mut schema, plan) =
                self.schema(&field.schema, place).map_err(|reason| format!("field `{}`: {reason}", field.name))?;
            schema["field"] = json!(field.name);
            if self.settings.meta_data
                && let Some(doc) = &field.doc
            {
                parameters.insert(format!("{FIELD_DOC}{}", field.name), json!(doc));
            }
            fields.push(schema);
            plans.push(plan);
        }
        self.records.pop();
        Ok((fields, plans))
    }

    fn union(&mut self, branches: &[AvroSchema], place: Place<'_>) -> Result<(Value, ReadPlan), Refused> {
        let null = branches.iter().position(|branch| branch.kind == Kind::Null);
        let optional = Place { is_optional: true, field_default: None };
        match (branches, null) {
            ([_, _], Some(null)) => {
                let (schema, plan) = self.schema(&branches[1 - null], optional)?;
                return Ok((schema, ReadPlan::Optional(null as u64, Box::new(plan))));
            }
            ([single], None) if self.settings.flatten_singletons => {
                let (schema, plan) = self.schema(single, place)?;
                return Ok((schema, ReadPlan::Only(Box::new(plan))));
            }
            _ => {}
        }
        let mut fields = Vec::new();
        let mut plans = Vec::with_capacity(branches.len());
        for branch in branches {
            if branch.kind == Kind::Null {
                plans.push(None);
                continue;
            }
            let (mut schema, plan) = self.schema(branch, optional)?;
            schema["field"] = json!(branch_name(branch, self.settings.enhanced));
            plans.push(Some((fields.len(), plan)));
            fields.push(schema);
        }
        let is_optional = null.is_some();
        let mut schema = json!({"type": "struct", "fields": fields, "optional": is_optional, "name": UNION});
        if self.settings.meta_data && place.field_default.is_some() {
            schema["parameters"] = json!({FIELD_DEFAULT: "true"});
        }
        Ok((schema, ReadPlan::Union(plans)))
    }

    /// The name and version of Connect's schema.
    fn put_names(&self, schema: &AvroSchema, connect: &mut Map<String, Value>) -> Result<(), Refused> {
        let name = schema.text(CONNECT_NAME).or_else(|| match schema.kind {
            Kind::Record(_) | Kind::Enum(_) | Kind::Fixed(_) => schema.full_name(),
            _ => None,
        });
        let logical = connect.get("name").and_then(Value::as_str);
        match (logical, name) {
            // a decimal in a fixed has two names
            (Some(_), Some(_)) if matches!(schema.kind, Kind::Fixed(_)) => {}
            (Some(logical), Some(name)) if logical != name => {
                return Err(format!("a {logical} has the name `{name}`"));
            }
            (None, Some(name)) if !is_made_up(name) => {
                connect.insert("name".to_owned(), json!(name));
            }
            _ => {}
        }
        if let Some(version) = schema.properties.get(CONNECT_VERSION).filter(|version| version.is_i64()) {
            connect.insert("version".to_owned(), version.clone());
        }
        Ok(())
    }

    fn put_doc(&self, schema: &AvroSchema, connect: &mut Map<String, Value>, parameters: &mut Map<String, Value>) {
        if !self.settings.meta_data {
            return;
        }
        if let Some(doc) = schema.text(CONNECT_DOC) {
            connect.insert("doc".to_owned(), json!(doc));
        }
        if let Kind::Record(record) = &schema.kind
            && let Some(doc) = &record.doc
        {
            parameters.insert(RECORD_DOC.to_owned(), json!(doc));
        }
    }

    fn put_default(
        &self,
        schema: &AvroSchema,
        place: Place<'_>,
        connect: &mut Map<String, Value>,
        parameters: &mut Map<String, Value>,
    ) -> Result<(), Refused> {
        let Some(default) = place.field_default.or_else(|| schema.properties.get(CONNECT_DEFAULT)) else {
            return Ok(());
        };
        // a default that Connect has no place for is none
        if let Some(default) = to_connect_default(default, schema) {
            connect.insert("default".to_owned(), default);
        }
        if self.settings.meta_data && place.field_default.is_some() && !schema.properties.contains_key(CONNECT_DEFAULT)
        {
            parameters.insert(FIELD_DEFAULT.to_owned(), json!("true"));
        }
        Ok(())
    }
}

/// Whether the name was given to a struct without one.
fn is_made_up(name: &str) -> bool {
    name.strip_prefix(DEFAULT_RECORD).is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
}

fn integer_type(schema: &AvroSchema) -> Result<&'static str, Refused> {
    let base = if schema.kind == Kind::Int { "int32" } else { "int64" };
    if temporal_name(schema).is_some() || schema.kind == Kind::Long {
        return Ok(base);
    }
    match schema.text(CONNECT_TYPE) {
        None => Ok(base),
        Some("int8") => Ok("int8"),
        Some("int16") => Ok("int16"),
        Some(other) => Err(format!("an int has the type annotation `{other}`, which Connect does not know")),
    }
}

fn temporal_name(schema: &AvroSchema) -> Option<&'static str> {
    match (&schema.kind, schema.logical_type()?) {
        (Kind::Int, "date") => Some(DATE),
        (Kind::Int, "time-millis") => Some(TIME),
        (Kind::Long, "timestamp-millis") => Some(TIMESTAMP),
        _ => None,
    }
}

/// The record of a map's entry, if it is one.
fn entry_of(items: &AvroSchema) -> Option<&Record> {
    let Kind::Record(record) = &items.kind else { return None };
    let is_entry = &*record.full_name == MAP_ENTRY_RECORD || items.text(INTERNAL_TYPE) == Some(MAP_ENTRY);
    let names = record.fields.iter().map(|field| field.name.as_str());
    (is_entry && names.eq(["key", "value"])).then_some(record)
}

/// The name of the field that stands for a branch of a union.
pub(crate) fn branch_name(branch: &AvroSchema, enhanced: bool) -> &str {
    match branch.full_name() {
        Some(name) if enhanced => name,
        Some(name) => simple_name(name),
        None => branch.type_name(),
    }
}
