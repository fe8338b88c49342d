//! Protobuf's messages to Connect's schemas.
//!
//! | Protobuf | Connect |
//! |---|---|
//! | int32, sint32, sfixed32 | INT32 (`connect.type`: INT8, INT16) |
//! | int64, sint64, sfixed64, uint32, fixed32, uint64, fixed64 | INT64 |
//! | float, double, bool, string, bytes | FLOAT32, FLOAT64, BOOLEAN, STRING, BYTES |
//! | enum | STRING, or INT32 if wanted, with parameters that say so |
//! | repeated, map, message | ARRAY, MAP, STRUCT |
//! | oneof | a STRUCT of which one field has a value, or those fields themselves |
//! | Timestamp, Date, TimeOfDay, Decimal | Connect's logical types |
//! | StringValue and the like | the value if wanted, else a STRUCT |
//! | Struct, Value, ListValue, a message inside of itself | STRING, the value as JSON: Arrow's types have an end |
//!
//! What Protobuf has no word for stands in annotations, under the names in `names`.

use std::sync::Arc;

use prost_reflect::{Cardinality, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor, OneofDescriptor, Syntax};
use serde_json::{Map, Value, json};
use volley_api::schema::{DATE, DECIMAL, TIME, TIMESTAMP};

use super::defaults::{default_as_json, default_bytes};
use crate::protobuf::keys::ProtobufSettings;
use crate::protobuf::names::{
    CONNECT_DEFAULT, CONNECT_ITEMS, CONNECT_KEYS, CONNECT_NAME, CONNECT_TYPE, CONNECT_VALUES, CONNECT_VERSION,
    DATE_MESSAGE, DECIMAL_MESSAGE, DECIMAL_PRECISION, DEFAULT_MESSAGE, ENTRY, ENUM, GENERAL_ENUM, GENERAL_UNION,
    JSON_MESSAGES, PRECISION, SCALE, TAG, TIME_MESSAGE, TIMESTAMP_MESSAGE, UNION, WRAPPER, field_name,
    is_scalar_wrapper,
};
use crate::protobuf::schema::meta::Meta;
use crate::protobuf::values::read_plan::{
    Absent, EntryPlan, FieldKind, FieldPlan, MessagePlan, Place, Scalar, Symbols, ValuePlan,
};

type Refused = String;

/// More columns than these are a mistake: messages that contain others several times grow with each level.
const MAX_COLUMNS: usize = 50_000;
/// Messages within messages.
const MAX_DEPTH: usize = 90;

/// Connect's schema of a message in its JSON form, and how its values are read.
///
/// # Errors
/// What has no schema.
pub(crate) fn to_connect_schema(
    message: &MessageDescriptor,
    settings: ProtobufSettings,
) -> Result<(Value, ValuePlan), Refused> {
    let mut mapping = Mapping { settings, open: Vec::new(), columns: 0 };
    let (mut schema, plan) = mapping.message(message, &Meta::default(), settings.raw_wrappers)?;
    let meta = Meta::of_message(message);
    if !schema.contains_key("default") {
        put_default(&meta, &mut schema);
    }
    schema.insert("optional".to_owned(), json!(false));
    Ok((Value::Object(schema), plan))
}

type Schema = Map<String, Value>;

/// What is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// The field itself is.
    Item,
    Key,
    Value,
}

/// The mapping of one message.
struct Mapping {
    settings: ProtobufSettings,
    /// The messages around the current one.
    open: Vec<String>,
    columns: usize,
}

impl Mapping {
    /// The value that a message is. `meta` is that of its field.
    fn message(
        &mut self,
        message: &MessageDescriptor,
        meta: &Meta,
        unwraps: bool,
    ) -> Result<(Schema, ValuePlan), Refused> {
        let name = message.full_name();
        let (kind, logical, plan) = match name {
            TIMESTAMP_MESSAGE => ("int64", TIMESTAMP, ValuePlan::Timestamp),
            DATE_MESSAGE => ("int32", DATE, ValuePlan::Date),
            TIME_MESSAGE => ("int32", TIME, ValuePlan::Time),
            DECIMAL_MESSAGE => {
                let scale = meta.param(SCALE).map_or(Ok(0), str::parse);
                let scale = scale.map_err(|_| "the parameter `scale` of a decimal is no integer")?;
                ("bytes", DECIMAL, ValuePlan::Decimal(scale))
            }
            _ => return self.composite(message, meta, unwraps),
        };
        let mut schema = typed(kind);
        let mut others = meta.clone();
        if let ValuePlan::Decimal(scale) = &plan {
            put_parameter(&mut schema, SCALE, &scale.to_string());
            if let Some(precision) = others.params.remove(PRECISION) {
                put_parameter(&mut schema, DECIMAL_PRECISION, &precision);
            }
            others.params.remove(SCALE);
        }
        put_attributes(&others, &mut schema);
        schema.insert("name".to_owned(), json!(logical));
        schema.insert("version".to_owned(), json!(1));
        Ok((schema, plan))
    }

    fn composite(
        &mut self,
        message: &MessageDescriptor,
        meta: &Meta,
        unwraps: bool,
    ) -> Result<(Schema, ValuePlan), Refused> {
        let name = message.full_name();
        let is_open = self.open.iter().any(|open| open == name);
        if is_open || JSON_MESSAGES.contains(&name) {
            let mut schema = typed("string");
            put_attributes(meta, &mut schema);
            return Ok((schema, ValuePlan::Json(message.clone())));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(format!("messages are nested deeper than {MAX_DEPTH} levels"));
        }
        let own = Meta::of_message(message);
        let only = message.get_field_by_name("value").filter(|_| message.fields().len() == 1);
        let is_marked = own.param(CONNECT_TYPE) == Some(WRAPPER);
        if let Some(field) = only.filter(|_| is_marked || (unwraps && is_scalar_wrapper(name))) {
            self.open.push(name.to_owned());
            let read = match is_marked {
                true => self.typed_field(&field),
                false => self.value(&field, meta).map(|(schema, plan)| (schema, FieldKind::Single(plan))),
            };
            self.open.pop();
            let (mut schema, kind) = read?;
            schema.remove("field");
            let absent = match &kind {
                FieldKind::Single(plan) => self.filled(plan, &field)?,
                FieldKind::List(_) | FieldKind::Map(_) => Absent::Empty,
            };
            let place = Place { member: 0, branch: None, siblings: Vec::new() };
            return Ok((
                schema,
                ValuePlan::Wrapped(Box::new(FieldPlan { number: field.number(), place, kind, absent })),
            ));
        }
        self.open.push(name.to_owned());
        let read = self.fields(message);
        self.open.pop();
        let (fields, plan) = read?;
        let mut schema = typed("struct");
        schema.insert("fields".to_owned(), Value::Array(fields));
        let given = if self.settings.enhanced { name } else { message.name() };
        if !is_made_up(message.name()) {
            schema.insert("name".to_owned(), json!(given));
        }
        put_attributes(&own, &mut schema);
        put_attributes(meta, &mut schema);
        Ok((schema, ValuePlan::Struct(plan)))
    }

    /// The fields of a message: first its oneofs, then the others.
    fn fields(&mut self, message: &MessageDescriptor) -> Result<(Vec<Value>, MessagePlan), Refused> {
        let mut schemas = Vec::new();
        let mut plans = Vec::new();
        let oneofs: Vec<_> = message.oneofs().filter(|oneof| !oneof.is_synthetic()).collect();
        for (index, oneof) in oneofs.iter().enumerate() {
            if self.settings.flatten_unions {
                self.flattened(oneof, &mut schemas, &mut plans)?;
            } else {
                let (schema, branches) = self.union(oneof, index, schemas.len())?;
                schemas.push(schema);
                plans.extend(branches);
            }
        }
        for field in ordered(message.fields()).into_iter().filter(|field| !is_in_oneof(field)) {
            let place = Place { member: schemas.len(), branch: None, siblings: Vec::new() };
            let (schema, plan) = self.field(&field, place)?;
            schemas.push(schema);
            plans.push(plan);
        }
        Ok((schemas, MessagePlan::new(plans)))
    }

    fn union(
        &mut self,
        oneof: &OneofDescriptor,
        index: usize,
        member: usize,
    ) -> Result<(Value, Vec<FieldPlan>), Refused> {
        let mut fields = Vec::new();
        let mut plans = Vec::new();
        for (branch, field) in ordered(oneof.fields()).into_iter().enumerate() {
            let place = Place { member, branch: Some(branch), siblings: Vec::new() };
            let (schema, plan) = self.field(&field, place)?;
            fields.push(schema);
            plans.push(plan);
        }
        let mut schema = typed("struct");
        schema.insert("fields".to_owned(), Value::Array(fields));
        schema.insert("optional".to_owned(), json!(true));
        if self.settings.generalized {
            schema.insert("name".to_owned(), json!(oneof.name()));
            put_parameter(&mut schema, GENERAL_UNION, oneof.name());
        } else {
            schema.insert("name".to_owned(), json!(format!("{UNION}.{}", oneof.name())));
        }
        schema.insert("field".to_owned(), json!(self.settings.union_field(oneof.name(), index)));
        Ok((Value::Object(schema), plans))
    }

    fn flattened(
        &mut self,
        oneof: &OneofDescriptor,
        schemas: &mut Vec<Value>,
        plans: &mut Vec<FieldPlan>,
    ) -> Result<(), Refused> {
        let fields = ordered(oneof.fields());
        let (start, end) = (schemas.len(), schemas.len() + fields.len());
        for (member, field) in (start..).zip(&fields) {
            let siblings = (start..end).filter(|other| *other != member).collect();
            let (schema, plan) = self.field(field, Place { member, branch: None, siblings })?;
            schemas.push(schema);
            plans.push(plan);
        }
        Ok(())
    }

    fn field(&mut self, field: &FieldDescriptor, place: Place) -> Result<(Value, FieldPlan), Refused> {
        self.columns += 1;
        if self.columns > MAX_COLUMNS {
            return Err(format!("it has more than {MAX_COLUMNS} fields, with those of its messages"));
        }
        let (mut schema, kind) =
            self.typed_field(field).map_err(|reason| format!("field `{}`: {reason}", field_name(field)))?;
        let is_optional = self.is_optional(field, &kind);
        let absent = self.absent(field, &kind, is_optional)?;
        schema.insert("optional".to_owned(), json!(is_optional));
        put_parameter(&mut schema, TAG, &field.number().to_string());
        schema.insert("field".to_owned(), json!(field_name(field)));
        Ok((Value::Object(schema), FieldPlan { number: field.number(), place, kind, absent }))
    }

    /// The type of a field, with its annotations.
    fn typed_field(&mut self, field: &FieldDescriptor) -> Result<(Schema, FieldKind), Refused> {
        let meta = Meta::of_field(field);
        let entry = match field.kind() {
            Kind::Message(entry) if field.is_list() || field.is_map() => entry_of(&entry, field.is_map()),
            _ => None,
        };
        if let Some((key, value)) = entry {
            let (keys, key) = self.element(&key, meta.param(CONNECT_KEYS), Part::Key)?;
            let (values, value) = self.element(&value, meta.param(CONNECT_VALUES), Part::Value)?;
            let mut schema = typed("map");
            schema.insert("keys".to_owned(), keys);
            schema.insert("values".to_owned(), values);
            put_attributes(&meta, &mut schema);
            return Ok((schema, FieldKind::Map(Box::new(EntryPlan { key, value }))));
        }
        if field.is_list() {
            let (items, plan) = self.element(field, meta.param(CONNECT_ITEMS), Part::Item)?;
            let FieldKind::Single(plan) = plan.kind else { return Err("an array has no items".to_owned()) };
            let mut schema = typed("array");
            schema.insert("items".to_owned(), items);
            put_attributes(&meta, &mut schema);
            return Ok((schema, FieldKind::List(plan)));
        }
        let (mut schema, plan) = self.value(field, &meta)?;
        if let Some(default) = default_as_json(field, self.settings.int_for_enums) {
            schema.entry("default").or_insert(default);
        }
        Ok((schema, FieldKind::Single(plan)))
    }

    /// An item of an array, or a key or a value of a map, whatever is repeated.
    fn element(
        &mut self,
        field: &FieldDescriptor,
        given: Option<&str>,
        part: Part,
    ) -> Result<(Value, FieldPlan), Refused> {
        let given: Option<Value> = given
            .map(serde_json::from_str)
            .transpose()
            .map_err(|error| format!("an annotation is no JSON: {error}"))?;
        let is_own = given.is_none() && part != Part::Item;
        let (schema, kind) = if is_own {
            self.typed_field(field)?
        } else {
            let (schema, plan) = self.value(field, &given.as_ref().map(type_of_given).unwrap_or_default())?;
            (schema, FieldKind::Single(plan))
        };
        let mut schema = Value::Object(schema);
        if let Some(given) = given {
            if schema["type"] != given["type"] {
                return Err("an annotation names another type than that of the field".to_owned());
            }
            schema = given;
        }
        let is_message = matches!(field.kind(), Kind::Message(_));
        let is_collection = matches!(&kind, FieldKind::Single(ValuePlan::Wrapped(inner)) if !matches!(inner.kind, FieldKind::Single(_)));
        // a value that is not there is null if that is possible, and what all readers take it for otherwise
        let is_value = part == Part::Value && matches!(&kind, FieldKind::Single(_));
        let may_be_null =
            is_value && (self.settings.optional || self.settings.wrappers) && is_message && !is_collection;
        let absent = match &kind {
            FieldKind::Single(_) if may_be_null => Absent::Null,
            FieldKind::Single(_) if part == Part::Key && is_message => Absent::Refuse,
            FieldKind::Single(plan) => self.filled(plan, field)?,
            FieldKind::List(_) | FieldKind::Map(_) => Absent::Empty,
        };
        schema["optional"] = json!(may_be_null);
        let place = Place { member: 0, branch: None, siblings: Vec::new() };
        Ok((schema, FieldPlan { number: field.number(), place, kind, absent }))
    }

    /// A value that is not repeated.
    fn value(&mut self, field: &FieldDescriptor, meta: &Meta) -> Result<(Schema, ValuePlan), Refused> {
        let (kind, scalar) = match field.kind() {
            Kind::Message(message) => return self.message(&message, meta, self.settings.wrappers),
            Kind::Enum(enumeration) => return Ok(self.symbol(&enumeration, meta)),
            Kind::Int32 => (integer_type(meta)?, Scalar::Int32),
            Kind::Sint32 => (integer_type(meta)?, Scalar::SInt32),
            Kind::Sfixed32 => (integer_type(meta)?, Scalar::SFixed32),
            Kind::Int64 => ("int64", Scalar::Int64),
            Kind::Sint64 => ("int64", Scalar::SInt64),
            Kind::Sfixed64 => ("int64", Scalar::SFixed64),
            Kind::Uint32 => ("int64", Scalar::UInt32),
            Kind::Fixed32 => ("int64", Scalar::Fixed32),
            Kind::Uint64 => ("int64", Scalar::UInt64),
            Kind::Fixed64 => ("int64", Scalar::Fixed64),
            Kind::Float => ("float", Scalar::Float),
            Kind::Double => ("double", Scalar::Double),
            Kind::Bool => ("boolean", Scalar::Bool),
            Kind::String => ("string", Scalar::Text { strict: field.parent_file().syntax() != Syntax::Proto2 }),
            Kind::Bytes => ("bytes", Scalar::Bytes),
        };
        let mut schema = typed(kind);
        put_attributes(meta, &mut schema);
        Ok((schema, ValuePlan::Scalar(scalar)))
    }

    fn symbol(&self, enumeration: &EnumDescriptor, meta: &Meta) -> (Schema, ValuePlan) {
        let mut schema = typed(if self.settings.int_for_enums { "int32" } else { "string" });
        put_attributes(meta, &mut schema);
        let prefix = if self.settings.generalized { GENERAL_ENUM } else { ENUM };
        let name = if self.settings.enhanced { enumeration.full_name() } else { enumeration.name() };
        put_parameter(&mut schema, prefix, meta.param(prefix).unwrap_or(name));
        let mut by_number = rustc_hash::FxHashMap::default();
        for symbol in enumeration.values() {
            put_parameter(&mut schema, &format!("{prefix}.{}", symbol.name()), &symbol.number().to_string());
            by_number.entry(symbol.number()).or_insert_with(|| symbol.name().to_owned());
        }
        let is_closed = enumeration.parent_file().syntax() == Syntax::Proto2;
        let symbols = Arc::new(Symbols { name: enumeration.name().to_owned(), by_number, is_closed });
        let scalar = if self.settings.int_for_enums { Scalar::SymbolNumber(symbols) } else { Scalar::Symbol(symbols) };
        (schema, ValuePlan::Scalar(scalar))
    }

    fn is_optional(&self, field: &FieldDescriptor, kind: &FieldKind) -> bool {
        if is_in_oneof(field) {
            return true;
        }
        if field.cardinality() == Cardinality::Required {
            return false;
        }
        if !self.settings.optional && !self.settings.wrappers {
            return true;
        }
        if !matches!(kind, FieldKind::Single(_)) {
            return false;
        }
        let is_wrapper = matches!(field.kind(), Kind::Message(message) if is_scalar_wrapper(message.full_name()));
        let is_message = matches!(field.kind(), Kind::Message(_));
        let is_labelled = match field.parent_file().syntax() {
            Syntax::Proto2 => true,
            Syntax::Proto3 => field.field_descriptor_proto().proto3_optional(),
        };
        (self.settings.optional && is_labelled)
            || (self.settings.wrappers && is_wrapper)
            || (!self.settings.optional && is_message)
    }

    /// What a field is that is not in a message.
    fn absent(&self, field: &FieldDescriptor, kind: &FieldKind, is_optional: bool) -> Result<Absent, Refused> {
        let FieldKind::Single(plan) = kind else { return Ok(Absent::Empty) };
        if is_in_oneof(field) {
            return Ok(Absent::Null);
        }
        if field.cardinality() == Cardinality::Required {
            return Ok(Absent::Refuse);
        }
        let is_message = matches!(field.kind(), Kind::Message(_));
        let is_proto2 = field.parent_file().syntax() == Syntax::Proto2;
        let is_null = if is_message {
            let is_struct = matches!(plan, ValuePlan::Struct(_));
            is_optional && !(is_struct && self.settings.struct_for_nulls)
        } else {
            is_optional && field.supports_presence() && (!is_proto2 || self.settings.optional_proto2)
        };
        if is_null { Ok(Absent::Null) } else { self.filled(plan, field) }
    }

    /// The value that all readers take a field for that is not there.
    fn filled(&self, plan: &ValuePlan, field: &FieldDescriptor) -> Result<Absent, Refused> {
        Ok(Absent::Bytes(match plan {
            ValuePlan::Scalar(scalar) => default_bytes(field, scalar),
            // there is no day without a year: 1970-01-01
            ValuePlan::Date => vec![0x08, 0xB2, 0x0F, 0x10, 1, 0x18, 1],
            _ => Vec::new(),
        }))
    }
}

fn typed(kind: &str) -> Schema {
    Map::from_iter([("type".to_owned(), json!(kind))])
}

/// Fields in the order of the schema's text, which that of descriptors is not in oneofs.
pub(crate) fn ordered(fields: impl Iterator<Item = FieldDescriptor>) -> Vec<FieldDescriptor> {
    let mut fields: Vec<_> = fields.collect();
    fields.sort_by_key(|field| field.path().last().copied());
    fields
}

/// Whether it is a field of a oneof that stands in the schema.
fn is_in_oneof(field: &FieldDescriptor) -> bool {
    field.containing_oneof().is_some_and(|oneof| !oneof.is_synthetic())
}

/// The key and the value of a map's entry.
pub(crate) fn entry_of(message: &MessageDescriptor, is_map: bool) -> Option<(FieldDescriptor, FieldDescriptor)> {
    if is_map {
        return Some((message.map_entry_key_field(), message.map_entry_value_field()));
    }
    let is_entry = Meta::of_message(message).param(CONNECT_TYPE) == Some(ENTRY) && message.fields().len() == 2;
    let field = |name| message.get_field_by_name(name).filter(|_| is_entry);
    Some((field("key")?, field("value")?))
}

/// Whether the name was given to a struct without one.
fn is_made_up(name: &str) -> bool {
    name.strip_prefix(DEFAULT_MESSAGE).is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
}

fn integer_type(meta: &Meta) -> Result<&'static str, Refused> {
    match meta.param(CONNECT_TYPE) {
        None | Some("int32") => Ok("int32"),
        Some("int8") => Ok("int8"),
        Some("int16") => Ok("int16"),
        Some(other) => {
            Err(format!("an int32 has the annotation `{CONNECT_TYPE}` {other}, which Connect does not know"))
        }
    }
}

/// What the full schema of an item says about its type.
fn type_of_given(given: &Value) -> Meta {
    let mut meta = Meta::default();
    let mut put = |name: &str, value: Option<&Value>| {
        if let Some(value) = value.and_then(Value::as_str) {
            meta.params.insert(name.to_owned(), value.to_owned());
        }
    };
    put(CONNECT_TYPE, given.get("type").filter(|kind| *kind == "int8" || *kind == "int16"));
    put(SCALE, given.pointer("/parameters/scale"));
    meta
}

fn put_parameter(schema: &mut Schema, name: &str, value: &str) {
    let parameters = schema.entry("parameters").or_insert_with(|| json!({}));
    parameters[name] = json!(value);
}

/// Adds what an annotation says about a schema.
fn put_attributes(meta: &Meta, schema: &mut Schema) {
    if let Some(doc) = &meta.doc {
        schema.insert("doc".to_owned(), json!(doc));
    }
    for (name, value) in &meta.params {
        match name.as_str() {
            CONNECT_NAME => drop(schema.insert("name".to_owned(), json!(value))),
            CONNECT_VERSION => {
                if let Ok(version) = value.parse::<i64>() {
                    schema.insert("version".to_owned(), json!(version));
                }
            }
            CONNECT_DEFAULT => put_default(meta, schema),
            CONNECT_TYPE | CONNECT_ITEMS | CONNECT_KEYS | CONNECT_VALUES => {}
            _ => put_parameter(schema, name, value),
        }
    }
}

fn put_default(meta: &Meta, schema: &mut Schema) {
    let default = meta.param(CONNECT_DEFAULT).and_then(|text| serde_json::from_str::<Value>(text).ok());
    if let Some(default) = default.filter(|default| !default.is_null()) {
        schema.insert("default".to_owned(), default);
    }
}
