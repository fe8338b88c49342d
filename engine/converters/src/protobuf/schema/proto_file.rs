//! A `.proto` file that is made of Connect's schemas, and its text.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::meta::Meta;

/// A file of one message.
#[derive(Debug)]
pub(crate) struct ProtoFile {
    /// Empty if it has none.
    pub(crate) package: String,
    pub(crate) imports: BTreeSet<&'static str>,
    pub(crate) message: ProtoMessage,
    /// Whether the names of annotations need a dot before them.
    pub(crate) is_shadowed: bool,
}

/// A message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ProtoMessage {
    pub(crate) name: String,
    pub(crate) meta: Meta,
    pub(crate) members: Vec<ProtoMember>,
    pub(crate) messages: Vec<ProtoMessage>,
    pub(crate) enums: Vec<ProtoEnum>,
}

/// What stands in a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ProtoMember {
    Field(ProtoField),
    Oneof(String, Vec<ProtoField>),
}

impl ProtoMember {
    /// The field, or those of the oneof.
    pub(crate) fn fields(&self) -> &[ProtoField] {
        match self {
            Self::Field(field) => std::slice::from_ref(field),
            Self::Oneof(_, fields) => fields,
        }
    }

    /// As [`fields`](Self::fields).
    pub(crate) fn fields_mut(&mut self) -> &mut [ProtoField] {
        match self {
            Self::Field(field) => std::slice::from_mut(field),
            Self::Oneof(_, fields) => fields,
        }
    }
}

/// A field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProtoField {
    /// `optional` or `repeated`, if it has one.
    pub(crate) label: Option<&'static str>,
    /// As it is written: `map<string, int32>` too.
    pub(crate) type_name: String,
    pub(crate) name: String,
    pub(crate) number: u32,
    pub(crate) meta: Meta,
    /// Its name in JSON, where the usual one is another field's.
    pub(crate) json_name: Option<String>,
}

/// An enum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProtoEnum {
    pub(crate) name: String,
    /// Zero first.
    pub(crate) symbols: Vec<(String, i32)>,
}

impl ProtoFile {
    /// The text.
    pub(crate) fn text(&self) -> String {
        let meta = if self.is_shadowed { ".confluent." } else { "confluent." };
        let mut out = Text { out: String::from("syntax = \"proto3\";\n"), depth: 0, meta };
        if !self.package.is_empty() {
            out.line(&format!("package {};", self.package));
        }
        if !self.imports.is_empty() {
            out.out.push('\n');
            self.imports.iter().for_each(|import| out.line(&format!("import \"{import}\";")));
        }
        out.out.push('\n');
        out.message(&self.message);
        out.out
    }
}

/// A text under construction.
struct Text {
    out: String,
    depth: usize,
    /// The package of annotations.
    meta: &'static str,
}

impl Text {
    fn line(&mut self, text: &str) {
        self.out.extend(std::iter::repeat_n("  ", self.depth));
        self.out.push_str(text);
        self.out.push('\n');
    }

    fn block(&mut self, head: &str, body: impl FnOnce(&mut Self)) {
        self.line(&format!("{head} {{"));
        self.depth += 1;
        body(self);
        self.depth -= 1;
        self.line("}");
    }

    fn message(&mut self, message: &ProtoMessage) {
        self.block(&format!("message {}", message.name), |out| {
            if !message.meta.is_empty() {
                out.line(&format!("option ({}message_meta) = {};", out.meta, meta_text(&message.meta)));
            }
            for member in &message.members {
                match member {
                    ProtoMember::Field(field) => out.field(field),
                    ProtoMember::Oneof(name, fields) => {
                        out.block(&format!("oneof {name}"), |out| fields.iter().for_each(|field| out.field(field)));
                    }
                }
            }
            message.messages.iter().for_each(|nested| out.message(nested));
            message.enums.iter().for_each(|nested| out.enumeration(nested));
        });
    }

    fn field(&mut self, field: &ProtoField) {
        let label = field.label.map(|label| format!("{label} ")).unwrap_or_default();
        let mut options = Vec::new();
        if let Some(name) = &field.json_name {
            options.push(format!("json_name = {}", quoted(name)));
        }
        if !field.meta.is_empty() {
            options.push(format!("({}field_meta) = {}", self.meta, meta_text(&field.meta)));
        }
        let options = if options.is_empty() { String::new() } else { format!(" [{}]", options.join(", ")) };
        self.line(&format!("{label}{} {} = {}{options};", field.type_name, field.name, field.number));
    }

    fn enumeration(&mut self, enumeration: &ProtoEnum) {
        self.block(&format!("enum {}", enumeration.name), |out| {
            let numbers: BTreeSet<i32> = enumeration.symbols.iter().map(|(_, number)| *number).collect();
            if numbers.len() < enumeration.symbols.len() {
                out.line("option allow_alias = true;");
            }
            enumeration.symbols.iter().for_each(|(symbol, number)| out.line(&format!("{symbol} = {number};")));
        });
    }
}

fn meta_text(meta: &Meta) -> String {
    let doc = meta.doc.as_ref().map(|doc| format!("doc: {}", quoted(doc)));
    let params = meta.params.iter().map(|(key, value)| format!("{{ key: {}, value: {} }}", quoted(key), quoted(value)));
    let params: Vec<_> = params.collect();
    let params = (!params.is_empty()).then(|| format!("params: [{}]", params.join(", ")));
    format!("{{ {} }}", Vec::from_iter(doc.into_iter().chain(params)).join(", "))
}

/// A string literal.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if u32::from(control) < 0x20 || control == '\u{7F}' => {
                // never fails: it is a String
                let _ = write!(out, "\\{:03o}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out.push('"');
    out
}
