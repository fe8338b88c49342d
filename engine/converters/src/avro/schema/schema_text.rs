//! Avro schemas as JSON text, with their members in the order of Java's, since a registry may compare texts.

use std::fmt::Write as _;

use rustc_hash::FxHashSet;
use serde_json::Value;

use crate::avro::schema::avro_schema::{AvroSchema, Kind, Record};
use crate::avro::schema::names::{
    CONNECT_DEFAULT, CONNECT_DOC, CONNECT_NAME, CONNECT_PARAMETERS, CONNECT_TYPE, CONNECT_VERSION, INTERNAL_TYPE,
    namespace_of, simple_name,
};

/// The order of properties; others follow by name, and the logical type last.
const ORDER: [&str; 9] = [
    "scale",
    "precision",
    CONNECT_DOC,
    CONNECT_VERSION,
    CONNECT_PARAMETERS,
    CONNECT_DEFAULT,
    CONNECT_NAME,
    CONNECT_TYPE,
    INTERNAL_TYPE,
];

/// The text of a schema. Each named type is defined where it stands first.
pub(crate) fn schema_text(schema: &AvroSchema) -> String {
    let mut text = Text { out: String::new(), defined: FxHashSet::default() };
    text.schema(schema, "");
    text.out
}

struct Text<'a> {
    out: String,
    defined: FxHashSet<&'a str>,
}

impl<'a> Text<'a> {
    fn schema(&mut self, schema: &'a AvroSchema, namespace: &str) {
        if let Some(name) = schema.full_name()
            && (matches!(schema.kind, Kind::Recursion(_)) || !self.defined.insert(name))
        {
            let is_near = namespace_of(name) == namespace;
            return self.json(&Value::from(if is_near { simple_name(name) } else { name }));
        }
        match &schema.kind {
            Kind::Union(branches) => {
                self.sequence('[', branches.iter(), |text, branch| text.schema(branch, namespace));
                self.out.push(']');
                return;
            }
            Kind::Array(_) | Kind::Map(_) | Kind::Record(_) | Kind::Enum(_) | Kind::Fixed(_) => {}
            _ if schema.properties.is_empty() => return self.json(&Value::from(schema.type_name())),
            _ => {}
        }
        let _ = write!(self.out, "{{\"type\":\"{}\"", schema.type_name());
        if let Some(name) = schema.full_name() {
            self.member("name", &simple_name(name).into());
            let own = namespace_of(name);
            if own != namespace {
                self.member("namespace", &own.into());
            }
        }
        match &schema.kind {
            Kind::Array(items) => {
                self.out.push_str(",\"items\":");
                self.schema(items, namespace);
            }
            Kind::Map(values) => {
                self.out.push_str(",\"values\":");
                self.schema(values, namespace);
            }
            Kind::Record(record) => self.record(record),
            Kind::Enum(symbols) => {
                self.text_member("doc", symbols.doc.as_deref());
                self.member("symbols", &symbols.symbols.clone().into());
                self.text_member("default", symbols.default.as_deref());
            }
            Kind::Fixed(fixed) => self.member("size", &fixed.size.into()),
            _ => {}
        }
        self.properties(schema);
        self.out.push('}');
    }

    fn record(&mut self, record: &'a Record) {
        let namespace = namespace_of(&record.full_name);
        self.text_member("doc", record.doc.as_deref());
        self.out.push_str(",\"fields\":");
        self.sequence('[', record.fields.iter(), |text, field| {
            text.out.push_str("{\"name\":");
            text.json(&field.name.as_str().into());
            text.out.push_str(",\"type\":");
            text.schema(&field.schema, namespace);
            text.text_member("doc", field.doc.as_deref());
            if let Some(default) = &field.default {
                text.member("default", default);
            }
            text.out.push('}');
        });
        self.out.push(']');
    }

    fn properties(&mut self, schema: &AvroSchema) {
        const LAST: &str = "logicalType";
        for name in ORDER {
            if let Some(value) = schema.properties.get(name) {
                self.member(name, value);
            }
        }
        let others = schema.properties.iter().filter(|(name, _)| !ORDER.contains(&name.as_str()) && *name != LAST);
        others.for_each(|(name, value)| self.member(name, value));
        if let Some(value) = schema.properties.get(LAST) {
            self.member(LAST, value);
        }
    }

    /// Opens a bracket, and separates what follows with commas.
    fn sequence<T>(
        &mut self,
        open: char,
        items: impl ExactSizeIterator<Item = T>,
        mut write: impl FnMut(&mut Self, T),
    ) {
        self.out.push(open);
        for (place, item) in items.enumerate() {
            if place > 0 {
                self.out.push(',');
            }
            write(self, item);
        }
    }

    fn text_member(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.member(name, &value.into());
        }
    }

    fn member(&mut self, name: &str, value: &Value) {
        let _ = write!(self.out, ",{}:{value}", Value::from(name));
    }

    fn json(&mut self, value: &Value) {
        let _ = write!(self.out, "{value}");
    }
}
