//! Connect schemas to Avro's. The way back is [`to_connect_schema`](super::to_connect_schema), where the types stand.
//!
//! What Avro has no word for stands in properties (`connect.name`, `connect.version`, `connect.parameters` and so on), unless
//! `connect.meta.data=false`. A struct without a name is called `ConnectDefault`, the next other one `ConnectDefault2`.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde_json::{Map, Value, json};
use volley_api::schema::{DATE, DECIMAL, TIME, TIMESTAMP};

use crate::avro::mapping::defaults::to_avro_default;
use crate::avro::mapping::semantic_types::{LOGICAL_TYPE, SemanticType};
use crate::avro::mapping::settings::AvroSettings;
use crate::avro::schema::avro_schema::{AvroField, AvroSchema, Enum, Fixed, Kind, Record};
use crate::avro::schema::names::{
    CONNECT_DEFAULT, CONNECT_DOC, CONNECT_NAME, CONNECT_PARAMETERS, CONNECT_TYPE, CONNECT_VERSION, DECIMAL_PRECISION,
    DEFAULT_PRECISION, DEFAULT_RECORD, ENUM, ENUM_DEFAULT, ENUM_DOC, FIELD_DEFAULT, FIELD_DOC, FIXED_SIZE,
    INTERNAL_TYPE, JAVA_STRING, MAP_ENTRY, MAP_ENTRY_RECORD, RECORD_DOC, UNION, simple_name,
};
use crate::connect_schema::Connect;

type Refused = String;

/// The Avro schema of a Connect schema in its JSON form.
///
/// # Errors
/// What Avro cannot express: a name that it does not allow, two different types of one name.
pub(crate) fn from_connect_schema(schema: &Value, settings: AvroSettings) -> Result<AvroSchema, Refused> {
    let mut mapping = Mapping { settings, named: FxHashMap::default(), unnamed: Vec::new() };
    mapping.schema(&Connect(schema), false)
}

/// The mapping of one schema.
struct Mapping {
    settings: AvroSettings,
    /// What has been defined, by full name.
    named: FxHashMap<Arc<str>, AvroSchema>,
    /// Structs without a name, and what they are called.
    unnamed: Vec<(Value, AvroSchema)>,
}

impl Mapping {
    /// `is_branch`: it stands in a union already.
    fn schema(&mut self, schema: &Connect<'_>, is_branch: bool) -> Result<AvroSchema, Refused> {
        let kind = schema.text("type").ok_or("a schema has no `type`")?;
        if kind == "struct" && schema.text("name") == Some(UNION) {
            return self.union(schema);
        }
        let mut avro = self.bare(kind, schema)?;
        if is_defined_here(&avro.kind) {
            let properties = self.properties(kind, schema, &avro);
            avro.properties = Arc::new(properties);
            self.define(schema, &mut avro)?;
        }
        if is_branch || !schema.is_optional() {
            return Ok(avro);
        }
        let null = AvroSchema::of(Kind::Null);
        // the default of a union is one of its first branch
        let branches = if schema.default().is_some() { [avro, null] } else { [null, avro] };
        Ok(AvroSchema::of(Kind::Union(branches.into())))
    }

    /// The schema without properties.
    fn bare(&mut self, kind: &str, schema: &Connect<'_>) -> Result<AvroSchema, Refused> {
        let kind = match kind {
            "boolean" => Kind::Boolean,
            "int8" | "int16" | "int32" => Kind::Int,
            "int64" => Kind::Long,
            "float" => Kind::Float,
            "double" => Kind::Double,
            "string" => match schema.parameter(ENUM) {
                Some(name) if self.settings.enhanced => self.enumeration(name, schema)?,
                _ => Kind::String,
            },
            "bytes" => match (schema.parameter(FIXED_SIZE).and_then(|size| size.parse().ok()), schema.text("name")) {
                (Some(size), Some(name)) if name != DECIMAL => {
                    Kind::Fixed(Arc::new(Fixed { full_name: self.full_name(name)?.into(), size }))
                }
                _ => Kind::Bytes,
            },
            "array" => Kind::Array(Arc::new(self.schema(&schema.part("items")?, false)?)),
            "map" => self.map(schema)?,
            "struct" => return self.record(schema),
            other => return Err(format!("unknown schema type {other}")),
        };
        Ok(AvroSchema::of(kind))
    }

    fn enumeration(&self, name: &str, schema: &Connect<'_>) -> Result<Kind, Refused> {
        let full_name = self.full_name(name)?;
        let prefix = format!("{ENUM}.");
        let symbols = schema.parameters().filter(|(name, _)| name.starts_with(&prefix));
        let symbols = symbols.map(|(_, symbol)| symbol.to_owned());
        let simple = schema.text("name").map_or(simple_name(&full_name), simple_name);
        let about = |prefix: &str| schema.parameter(&format!("{prefix}{simple}")).map(str::to_owned);
        Ok(Kind::Enum(Arc::new(Enum {
            doc: about(ENUM_DOC),
            symbols: symbols.collect(),
            default: about(ENUM_DEFAULT),
            full_name: full_name.into(),
        })))
    }

    fn map(&mut self, schema: &Connect<'_>) -> Result<Kind, Refused> {
        let key = schema.part("keys")?;
        let is_text = key.text("type") == Some("string");
        if is_text && (!key.is_optional() || self.settings.optional_map_keys) {
            return Ok(Kind::Map(Arc::new(self.schema(&schema.part("values")?, false)?)));
        }
        let fields = [("key", key), ("value", schema.part("values")?)]
            .map(|(name, part)| self.field(name.to_owned(), &part, None));
        let fields = fields.into_iter().collect::<Result<Vec<_>, Refused>>()?;
        let entry = |full_name: Arc<str>| Kind::Record(Arc::new(Record { full_name, doc: None, fields }));
        let items = match schema.text("name") {
            Some(name) => {
                let name: Arc<str> = self.full_name(name)?.into();
                let properties = Map::from_iter([(INTERNAL_TYPE.to_owned(), json!(MAP_ENTRY))]);
                let items = AvroSchema { kind: entry(Arc::clone(&name)), properties: Arc::new(properties) };
                self.note(name, items)?
            }
            None => self.numbered(MAP_ENTRY_RECORD, entry)?,
        };
        Ok(Kind::Array(Arc::new(items)))
    }

    /// An entry with the first of the names that is free, or that has the same fields.
    fn numbered(&mut self, name: &str, entry: impl FnOnce(Arc<str>) -> Kind) -> Result<AvroSchema, Refused> {
        let Kind::Record(probe) = entry(name.into()) else { return Err("an entry is no record".to_owned()) };
        let same = |schema: &AvroSchema| matches!(&schema.kind, Kind::Record(known) if known.fields == probe.fields);
        let names = std::iter::once(name.to_owned()).chain((2..).map(|number| format!("{name}{number}")));
        for name in names {
            match self.named.get(name.as_str()) {
                Some(known) if same(known) => return Ok(known.clone()),
                Some(_) => {}
                None => {
                    let is_first = name == MAP_ENTRY_RECORD;
                    let name: Arc<str> = name.into();
                    let Ok(probe) = Arc::try_unwrap(probe) else { return Err("an entry is shared".to_owned()) };
                    let record = Record { full_name: Arc::clone(&name), ..probe };
                    let mut schema = AvroSchema::of(Kind::Record(Arc::new(record)));
                    if !is_first {
                        let properties = Map::from_iter([(INTERNAL_TYPE.to_owned(), json!(MAP_ENTRY))]);
                        schema.properties = Arc::new(properties);
                    }
                    return self.note(name, schema);
                }
            }
        }
        Err("there are too many maps".to_owned())
    }

    fn record(&mut self, schema: &Connect<'_>) -> Result<AvroSchema, Refused> {
        let full_name: Arc<str> = match schema.text("name") {
            Some(name) => self.full_name(name)?.into(),
            None => {
                let key = without_place(schema.0);
                if let Some((_, known)) = self.unnamed.iter().find(|(known, _)| *known == key) {
                    return Ok(known.clone());
                }
                let number = self.unnamed.len() + 1;
                let name: Arc<str> =
                    if number == 1 { DEFAULT_RECORD.into() } else { format!("{DEFAULT_RECORD}{number}").into() };
                self.unnamed.push((key, AvroSchema::of(Kind::Recursion(Arc::clone(&name)))));
                name
            }
        };
        let mut fields: Vec<AvroField> = Vec::new();
        for field in schema.fields() {
            let given = field.text("field").ok_or("a field has no name")?;
            let name = self.name(given)?;
            if fields.iter().any(|earlier| earlier.name == name) {
                return Err(format!("record `{full_name}` has two fields `{name}`"));
            }
            let doc = schema.parameter(&format!("{FIELD_DOC}{given}")).map(str::to_owned);
            fields.push(self.field(name, &field, doc).map_err(|reason| format!("field `{given}`: {reason}"))?);
        }
        let doc = schema.parameter(RECORD_DOC).map(str::to_owned);
        Ok(AvroSchema::of(Kind::Record(Arc::new(Record { full_name, doc, fields }))))
    }

    fn field(&mut self, name: String, schema: &Connect<'_>, doc: Option<String>) -> Result<AvroField, Refused> {
        let avro = self.schema(schema, false)?;
        let default = match schema.default() {
            Some(default) => to_avro_default(default, &avro),
            None => schema.is_optional().then_some(Value::Null),
        };
        Ok(AvroField { name, schema: avro, doc, default })
    }

    fn union(&mut self, schema: &Connect<'_>) -> Result<AvroSchema, Refused> {
        let null = schema.is_optional().then(|| AvroSchema::of(Kind::Null));
        let mut branches = Vec::from_iter(null);
        for field in schema.fields() {
            branches.push(self.schema(&field, true)?);
        }
        Ok(AvroSchema::of(Kind::Union(branches.into())))
    }

    /// What Avro has no word for.
    fn properties(&self, kind: &str, schema: &Connect<'_>, avro: &AvroSchema) -> Map<String, Value> {
        let mut properties = Map::new();
        let mut put = |name: &str, value: Value| properties.insert(name.to_owned(), value);
        let name = schema.text("name");
        let semantic = name.filter(|_| self.settings.debezium_names);
        let semantic = semantic.and_then(|name| SemanticType::of_connect(name, kind, schema.parameter(LOGICAL_TYPE)));
        if self.settings.meta_data {
            if let Some(doc) = schema.text("doc") {
                put(CONNECT_DOC, json!(doc));
            }
            if let Some(version) = schema.0.get("version").filter(|version| version.is_i64()) {
                put(CONNECT_VERSION, version.clone());
            }
            if let Some(Value::Object(parameters)) = schema.0.get("parameters") {
                let mut parameters = parameters.clone();
                parameters.remove(FIELD_DEFAULT);
                if semantic.is_some() {
                    parameters.remove(LOGICAL_TYPE);
                }
                if !parameters.is_empty() {
                    put(CONNECT_PARAMETERS, Value::Object(parameters));
                }
            }
            if schema.parameter(FIELD_DEFAULT) != Some("true")
                && let Some(default) = schema.default().and_then(|default| to_avro_default(default, avro))
            {
                put(CONNECT_DEFAULT, default);
            }
            if let Some(name) = name {
                put(CONNECT_NAME, json!(name));
            }
            if matches!(kind, "int8" | "int16") {
                put(CONNECT_TYPE, json!(kind));
            }
        }
        if let Some(semantic) = semantic {
            put("logicalType", json!(semantic.logical_type));
        }
        match (kind, name) {
            ("bytes", Some(DECIMAL)) => {
                let number = |name: &str| schema.parameter(name).and_then(|number| number.parse::<i64>().ok());
                put("scale", json!(number("scale").unwrap_or(0)));
                put("precision", json!(number(DECIMAL_PRECISION).unwrap_or(DEFAULT_PRECISION as i64)));
                put("logicalType", json!("decimal"));
            }
            ("int32", Some(DATE)) => drop(put("logicalType", json!("date"))),
            ("int32", Some(TIME)) => drop(put("logicalType", json!("time-millis"))),
            ("int64", Some(TIMESTAMP)) => drop(put("logicalType", json!("timestamp-millis"))),
            ("string", _) => {
                if let Some(class) = schema.parameter(JAVA_STRING) {
                    put(JAVA_STRING, json!(class));
                }
            }
            _ => {}
        }
        properties
    }

    /// Keeps a named type, so that the next of its name refers to it.
    fn define(&mut self, schema: &Connect<'_>, avro: &mut AvroSchema) -> Result<(), Refused> {
        let name: Arc<str> = match avro.full_name() {
            Some(name) => name.into(),
            None => return Ok(()),
        };
        if schema.text("name").is_none() && matches!(avro.kind, Kind::Record(_)) {
            let unfinished = |known: &AvroSchema| matches!(&known.kind, Kind::Recursion(known) if *known == name);
            if let Some((_, known)) = self.unnamed.iter_mut().find(|(_, known)| unfinished(known)) {
                *known = avro.clone();
            }
        }
        *avro = self.note(name, avro.clone())?;
        Ok(())
    }

    fn note(&mut self, name: Arc<str>, schema: AvroSchema) -> Result<AvroSchema, Refused> {
        match self.named.get(&name) {
            Some(known) if known.kind == schema.kind => Ok(known.clone()),
            Some(_) => Err(format!("two schemas have the name `{name}`, and differ")),
            None => {
                self.named.insert(name, schema.clone());
                Ok(schema)
            }
        }
    }

    fn full_name(&self, name: &str) -> Result<String, Refused> {
        let parts = name.split('.').map(|part| self.name(part)).collect::<Result<Vec<_>, _>>()?;
        Ok(parts.join("."))
    }

    /// A name without dots, as Avro allows it.
    fn name(&self, name: &str) -> Result<String, Refused> {
        self.settings.avro_name(name).ok_or_else(|| {
            format!(
                "`{name}` is no name in Avro, which allows letters, digits and `_`: rename it, or set \
                 `scrub.invalid.names=true`"
            )
        })
    }
}

/// Whether properties belong to it: not to a mere reference.
fn is_defined_here(kind: &Kind) -> bool {
    !matches!(kind, Kind::Recursion(_))
}

/// The schema without the name of its field.
fn without_place(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Value::Object(members) = &mut schema {
        members.remove("field");
    }
    schema
}
