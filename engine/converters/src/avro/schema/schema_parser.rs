//! Parses Avro schemas.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde_json::{Map, Value};

use crate::avro::schema::avro_schema::{AvroField, AvroSchema, Enum, Fixed, Kind, Record};
use crate::avro::schema::names::namespace_of;

/// Maximum depth of a schema.
const MAX_DEPTH: usize = 100;

/// Members of a schema that are no properties.
const RESERVED: [&str; 11] =
    ["type", "name", "namespace", "doc", "aliases", "fields", "symbols", "items", "values", "size", "default"];

/// Why a text is no Avro schema.
pub(crate) type Refused = String;

/// Parses schemas, later ones with the names of those before.
#[derive(Debug, Default)]
pub(crate) struct SchemaParser {
    /// Records, enums and fixed by full name; `None` while one is being defined.
    named: FxHashMap<Arc<str>, Option<AvroSchema>>,
}

impl SchemaParser {
    /// Parses a text.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn parse(&mut self, text: &str) -> Result<AvroSchema, Refused> {
        // a bare name of a type is accepted too, as registries do
        let schema = match serde_json::from_str(text) {
            Ok(schema) => schema,
            Err(_) if is_bare_name(text.trim()) => Value::String(text.trim().to_owned()),
            Err(error) => return Err(format!("it is no JSON: {error}")),
        };
        self.schema(&schema, "", 0)
    }

    fn schema(&mut self, schema: &Value, namespace: &str, depth: usize) -> Result<AvroSchema, Refused> {
        if depth > MAX_DEPTH {
            return Err(format!("it is nested deeper than {MAX_DEPTH} levels"));
        }
        match schema {
            Value::String(name) => self.type_named(name, namespace),
            Value::Array(branches) => {
                let branches: Vec<_> = branches
                    .iter()
                    .map(|branch| self.schema(branch, namespace, depth + 1))
                    .collect::<Result<_, _>>()?;
                check_branches(&branches)?;
                Ok(AvroSchema::of(Kind::Union(branches.into())))
            }
            Value::Object(schema) => self.object(schema, namespace, depth),
            other => Err(format!("{other} is no schema")),
        }
    }

    fn type_named(&self, name: &str, namespace: &str) -> Result<AvroSchema, Refused> {
        if let Some(kind) = primitive(name) {
            return Ok(AvroSchema::of(kind));
        }
        let full_name = full_name(name, namespace);
        match self.named.get_key_value(full_name.as_str()) {
            Some((_, Some(schema))) => Ok(schema.clone()),
            Some((name, None)) => Ok(AvroSchema::of(Kind::Recursion(Arc::clone(name)))),
            None if self.named.contains_key(name) => self.type_named(name, ""),
            None => Err(format!("no type has the name `{full_name}`")),
        }
    }

    fn object(&mut self, schema: &Map<String, Value>, namespace: &str, depth: usize) -> Result<AvroSchema, Refused> {
        let type_name = match schema.get("type") {
            Some(Value::String(name)) => name.as_str(),
            Some(nested @ (Value::Object(_) | Value::Array(_))) => {
                return self.schema(nested, namespace, depth + 1);
            }
            _ => return Err("a schema has no `type`".to_owned()),
        };
        let properties = properties_of(schema);
        let part = |key: &str| schema.get(key).ok_or_else(|| format!("a schema of type {type_name} has no `{key}`"));
        let kind = match type_name {
            "array" => Kind::Array(Arc::new(self.schema(part("items")?, namespace, depth + 1)?)),
            "map" => Kind::Map(Arc::new(self.schema(part("values")?, namespace, depth + 1)?)),
            "record" | "error" => return self.record(schema, namespace, properties, depth),
            "enum" => return self.enumeration(schema, namespace, properties),
            "fixed" => return self.fixed(schema, namespace, properties),
            name => match primitive(name) {
                Some(kind) => kind,
                None => return self.type_named(name, namespace),
            },
        };
        Ok(AvroSchema { kind, properties })
    }

    fn record(
        &mut self,
        schema: &Map<String, Value>,
        namespace: &str,
        properties: Arc<Map<String, Value>>,
        depth: usize,
    ) -> Result<AvroSchema, Refused> {
        let full_name = self.define(schema, namespace)?;
        let Some(Value::Array(fields)) = schema.get("fields") else {
            return Err(format!("record `{full_name}` has no `fields`"));
        };
        let inner = namespace_of(&full_name).to_owned();
        let mut parsed: Vec<AvroField> = Vec::with_capacity(fields.len());
        for field in fields {
            let name = text(field.get("name")).ok_or_else(|| format!("a field of `{full_name}` has no `name`"))?;
            if parsed.iter().any(|earlier| earlier.name == name) {
                return Err(format!("record `{full_name}` has two fields `{name}`"));
            }
            let in_field = |reason: String| format!("field `{name}`: {reason}");
            let schema = field.get("type").ok_or_else(|| in_field("it has no `type`".to_owned()))?;
            parsed.push(AvroField {
                schema: self.schema(schema, &inner, depth + 1).map_err(in_field)?,
                doc: text(field.get("doc")),
                default: field.get("default").cloned(),
                name,
            });
        }
        let record = Record { full_name: Arc::clone(&full_name), doc: text(schema.get("doc")), fields: parsed };
        Ok(self.defined(full_name, Kind::Record(Arc::new(record)), properties))
    }

    fn enumeration(
        &mut self,
        schema: &Map<String, Value>,
        namespace: &str,
        properties: Arc<Map<String, Value>>,
    ) -> Result<AvroSchema, Refused> {
        let full_name = self.define(schema, namespace)?;
        let symbols = schema.get("symbols").and_then(Value::as_array).and_then(|symbols| {
            symbols.iter().map(|symbol| symbol.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
        });
        let symbols = symbols.ok_or_else(|| format!("enum `{full_name}` has no `symbols`"))?;
        let (doc, default) = (text(schema.get("doc")), text(schema.get("default")));
        let kind = Kind::Enum(Arc::new(Enum { full_name: Arc::clone(&full_name), doc, symbols, default }));
        Ok(self.defined(full_name, kind, properties))
    }

    fn fixed(
        &mut self,
        schema: &Map<String, Value>,
        namespace: &str,
        properties: Arc<Map<String, Value>>,
    ) -> Result<AvroSchema, Refused> {
        let full_name = self.define(schema, namespace)?;
        let size = schema.get("size").and_then(Value::as_u64).and_then(|size| usize::try_from(size).ok());
        let size = size.ok_or_else(|| format!("fixed `{full_name}` has no `size`"))?;
        let kind = Kind::Fixed(Arc::new(Fixed { full_name: Arc::clone(&full_name), size }));
        Ok(self.defined(full_name, kind, properties))
    }

    /// Begins the definition of a named type.
    fn define(&mut self, schema: &Map<String, Value>, namespace: &str) -> Result<Arc<str>, Refused> {
        let name = text(schema.get("name")).ok_or("a record, enum or fixed has no `name`")?;
        let given = text(schema.get("namespace"));
        let full_name: Arc<str> = full_name(&name, given.as_deref().unwrap_or(namespace)).into();
        if self.named.insert(Arc::clone(&full_name), None).is_some() {
            return Err(format!("two types have the name `{full_name}`"));
        }
        Ok(full_name)
    }

    fn defined(&mut self, full_name: Arc<str>, kind: Kind, properties: Arc<Map<String, Value>>) -> AvroSchema {
        let schema = AvroSchema { kind, properties };
        self.named.insert(full_name, Some(schema.clone()));
        schema
    }
}

fn is_bare_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'))
}

fn primitive(name: &str) -> Option<Kind> {
    Some(match name {
        "null" => Kind::Null,
        "boolean" => Kind::Boolean,
        "int" => Kind::Int,
        "long" => Kind::Long,
        "float" => Kind::Float,
        "double" => Kind::Double,
        "bytes" => Kind::Bytes,
        "string" => Kind::String,
        _ => return None,
    })
}

/// A name with a dot is a full name already.
fn full_name(name: &str, namespace: &str) -> String {
    if name.contains('.') || namespace.is_empty() { name.to_owned() } else { format!("{namespace}.{name}") }
}

fn text(value: Option<&Value>) -> Option<String> {
    value.and_then(Value::as_str).map(str::to_owned)
}

fn properties_of(schema: &Map<String, Value>) -> Arc<Map<String, Value>> {
    let properties = schema.iter().filter(|(name, _)| !RESERVED.contains(&name.as_str()));
    Arc::new(properties.map(|(name, value)| (name.clone(), value.clone())).collect())
}

/// A union has no union in it, and no two branches that a value could not be told apart by.
fn check_branches(branches: &[AvroSchema]) -> Result<(), Refused> {
    for (place, branch) in branches.iter().enumerate() {
        if matches!(branch.kind, Kind::Union(_)) {
            return Err("a union stands in a union".to_owned());
        }
        let name = branch.full_name().unwrap_or_else(|| branch.type_name());
        if branches[..place].iter().any(|earlier| earlier.full_name().unwrap_or_else(|| earlier.type_name()) == name) {
            return Err(format!("a union has `{name}` twice"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        SchemaParser::default().parse(text).unwrap_err()
    }

    #[test]
    fn a_name_is_looked_up_in_the_namespace_of_its_record() {
        let text = r#"{"type":"record","name":"A","namespace":"n","fields":[
            {"name":"f","type":{"type":"fixed","name":"F","size":2}},
            {"name":"g","type":{"type":"record","name":"o.B","fields":[{"name":"h","type":"n.F"}]}},
            {"name":"i","type":["null","A"]}]}"#;
        let schema = SchemaParser::default().parse(text).unwrap();
        let Kind::Record(record) = &schema.kind else { panic!("{schema:?}") };
        assert_eq!(record.fields[0].schema.full_name(), Some("n.F"));
        let Kind::Record(inner) = &record.fields[1].schema.kind else { panic!("{schema:?}") };
        assert_eq!((&*inner.full_name, inner.fields[0].schema.full_name()), ("o.B", Some("n.F")));
        let Kind::Union(branches) = &record.fields[2].schema.kind else { panic!("{schema:?}") };
        assert_eq!(branches[1].kind, Kind::Recursion("n.A".into()));
    }

    #[test]
    fn a_later_text_knows_the_names_of_an_earlier_one() {
        let mut parser = SchemaParser::default();
        parser.parse(r#"{"type":"enum","name":"x.E","symbols":["A"]}"#).unwrap();
        assert_eq!(parser.parse(r#"["null","x.E"]"#).unwrap().type_name(), "union");
    }

    #[test]
    fn what_is_wrong_with_a_schema_is_said() {
        assert!(refusal("{").starts_with("it is no JSON"));
        assert_eq!(refusal(r#"{"type":"x"}"#), "no type has the name `x`");
        assert_eq!(refusal(r#"["int","int"]"#), "a union has `int` twice");
        assert_eq!(refusal(r#"{"type":"record","name":"R","fields":[{"name":"a"}]}"#), "field `a`: it has no `type`");
        assert_eq!(refusal(r#"{"type":"array"}"#), "a schema of type array has no `items`");
        let deep = "[".repeat(3) + "\"int\"" + &"]".repeat(3);
        assert_eq!(refusal(&deep), "a union stands in a union");
        let mut deep = "\"int\"".to_owned();
        (0..120).for_each(|_| deep = format!(r#"{{"type":"array","items":{deep}}}"#));
        assert_eq!(refusal(&deep), "it is nested deeper than 100 levels");
    }
}
