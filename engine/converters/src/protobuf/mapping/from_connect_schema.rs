//! Connect's schemas to `.proto` files. The way back is [`to_connect_schema`](super::to_connect_schema), where the types stand.
//!
//! A struct is a message, the structs within it are messages within that message. A struct without a name is called
//! `ConnectDefault1`, the next one `ConnectDefault2`. What is no struct stands in a message of one field, `value`.

use std::collections::BTreeSet;

use rustc_hash::FxHashSet;
use serde_json::Value;
use volley_api::schema::{DATE, DECIMAL, TIME, TIMESTAMP};

use super::numbering::numbers_of;
use crate::connect_schema::Connect;
use crate::protobuf::keys::ProtobufSettings;
use crate::protobuf::names::{
    CONNECT_DEFAULT, CONNECT_ITEMS, CONNECT_KEYS, CONNECT_NAME, CONNECT_TYPE, CONNECT_VALUES, CONNECT_VERSION,
    DATE_MESSAGE, DECIMAL_MESSAGE, DECIMAL_PRECISION, DEFAULT_MESSAGE, ENTRY, ENUM, GENERAL_ENUM, GENERAL_UNION,
    PRECISION, SCALE, TAG, TIME_MESSAGE, TIMESTAMP_MESSAGE, UNION, WRAPPER, simple_name,
};
use crate::protobuf::schema::built_in::{
    DATE_FILE, DECIMAL_FILE, META_FILE, TIME_FILE, TIMESTAMP_FILE, WRAPPERS, WRAPPERS_FILE,
};
use crate::protobuf::schema::meta::Meta;
use crate::protobuf::schema::proto_file::{ProtoEnum, ProtoField, ProtoFile, ProtoMember, ProtoMessage};

type Refused = String;

/// A file, and the message in it that values are.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Generated {
    pub(crate) text: String,
    pub(crate) path: Vec<i32>,
}

/// The file of a Connect schema in its JSON form.
///
/// # Errors
/// What Protobuf cannot express: a name that it does not allow, two fields of one name.
pub(crate) fn from_connect_schema(schema: &Value, settings: ProtobufSettings) -> Result<Generated, Refused> {
    let schema = Connect(schema);
    if settings.raw_wrappers
        && let Some(index) = plain_wrapper(&schema)
    {
        return Ok(Generated { text: WRAPPERS.to_owned(), path: vec![index] });
    }
    let is_struct = schema.text("type") == Some("struct");
    let name = schema.text("name").filter(|_| is_struct).unwrap_or_default();
    let package = match name.rsplit_once('.') {
        Some((package, _)) => {
            package.split('.').map(|part| settings.identifier(part)).collect::<Result<Vec<_>, _>>()?
        }
        None => Vec::new(),
    };
    let is_shadowing = |name: &str| matches!(name, "google" | "confluent");
    let is_shadowed = package.iter().any(|part| is_shadowing(part)) || is_shadowing(simple_name(name));
    let mut mapping = Mapping { settings, imports: BTreeSet::new(), unnamed: 0, is_shadowed };
    let mut message = if is_struct { mapping.message(&schema)? } else { mapping.wrapper(&schema)? };
    if let Some(default) = schema.default() {
        message.meta.params.insert(CONNECT_DEFAULT.to_owned(), default.to_string());
    }
    let mut file = ProtoFile { package: package.join("."), imports: mapping.imports, message, is_shadowed };
    if has_meta(&file.message) {
        file.imports.insert(META_FILE);
    }
    Ok(Generated { text: file.text(), path: vec![0] })
}

/// The place of the wrapper that a schema is, of which nothing else is to be kept.
fn plain_wrapper(schema: &Connect<'_>) -> Option<i32> {
    let has_more =
        ["name", "version", "doc", "parameters", "default"].iter().any(|member| schema.0.get(member).is_some());
    Some(match schema.text("type").filter(|_| !has_more)? {
        "double" => 0,
        "float" => 1,
        "int64" => 2,
        "int32" => 4,
        "boolean" => 6,
        "string" => 7,
        "bytes" => 8,
        _ => return None,
    })
}

fn has_meta(message: &ProtoMessage) -> bool {
    let in_member = |member: &ProtoMember| member.fields().iter().any(|field| !field.meta.is_empty());
    !message.meta.is_empty() || message.members.iter().any(in_member) || message.messages.iter().any(has_meta)
}

/// The mapping of one schema.
struct Mapping {
    settings: ProtobufSettings,
    imports: BTreeSet<&'static str>,
    /// How many structs without a name there are.
    unnamed: usize,
    /// Whether names like `google.protobuf.Timestamp` need a dot before them, to be found from within the file's package.
    is_shadowed: bool,
}

/// A message under construction.
struct Scope {
    message: ProtoMessage,
    /// What else is in it: no two things in a message have one name.
    names: FxHashSet<String>,
    /// Maps whose entries would have a name that is taken.
    hidden_maps: FxHashSet<String>,
}

impl Scope {
    fn new(name: String, names: &[&str]) -> Self {
        Self {
            message: ProtoMessage { name, ..ProtoMessage::default() },
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            hidden_maps: FxHashSet::default(),
        }
    }
}

/// A type, and what Protobuf does not say about it.
struct Typed {
    name: String,
    meta: Meta,
}

impl Mapping {
    /// The message of a struct.
    fn message(&mut self, schema: &Connect<'_>) -> Result<ProtoMessage, Refused> {
        let name = match schema.text("name") {
            Some(name) => self.settings.identifier(simple_name(name))?,
            None => self.next_name(),
        };
        let leaves: Vec<Connect<'_>> = schema
            .fields()
            .flat_map(|field| if is_union(&field) { field.fields().collect() } else { vec![field] })
            .collect();
        let mut numbers = numbers_of(&leaves)?.into_iter();
        let mut scope = Scope::new(name, &[]);
        self.reserve(&leaves, &mut scope)?;
        for field in schema.fields() {
            let given = field.text("field").ok_or("a field has no name")?;
            let mut next = || numbers.next().ok_or("a field has no number");
            let member = if is_union(&field) {
                let oneof = self.settings.identifier(&self.oneof_name(&field, given))?;
                if !scope.names.insert(oneof.clone()) {
                    return Err(format!("a struct has two fields `{oneof}`"));
                }
                let fields = field.fields().map(|branch| self.field(&branch, next()?, true, &mut scope));
                let fields = fields.collect::<Result<Vec<_>, Refused>>()?;
                if fields.is_empty() {
                    return Err(format!("field `{given}` is a union without fields"));
                }
                ProtoMember::Oneof(oneof, fields)
            } else {
                let number = next()?;
                let field = self.field(&field, number, false, &mut scope);
                ProtoMember::Field(field.map_err(|reason| format!("field `{given}`: {reason}"))?)
            };
            scope.message.members.push(member);
        }
        scope.message.meta = self.attributes(schema, None, &[]);
        scope.message.meta.params.remove(CONNECT_DEFAULT);
        give_json_names(&mut scope.message);
        Ok(scope.message)
    }

    /// Notes the names of fields, and those of the messages that the entries of maps are.
    fn reserve(&self, fields: &[Connect<'_>], scope: &mut Scope) -> Result<(), Refused> {
        for field in fields {
            let name = self.settings.identifier(field.text("field").ok_or("a field has no name")?)?;
            if !scope.names.insert(name.clone()) {
                return Err(format!("a struct has two fields `{name}`"));
            }
        }
        for field in fields.iter().filter(|field| field.text("type") == Some("map")) {
            let given = field.text("field").unwrap_or_default();
            if !scope.names.insert(format!("{}Entry", camel_case(&self.settings.identifier(given)?, true))) {
                scope.hidden_maps.insert(given.to_owned());
            }
        }
        Ok(())
    }

    /// A message that stands for its only field.
    fn wrapper(&mut self, schema: &Connect<'_>) -> Result<ProtoMessage, Refused> {
        let mut scope = Scope::new(self.next_name(), &["value", "ValueEntry"]);
        let (label, typed) = self.repeatable(schema, &mut scope)?;
        let field = ProtoField {
            label,
            type_name: typed.name,
            name: "value".to_owned(),
            number: 1,
            meta: typed.meta,
            json_name: None,
        };
        scope.message.members.push(ProtoMember::Field(field));
        scope.message.meta.params.insert(CONNECT_TYPE.to_owned(), WRAPPER.to_owned());
        Ok(scope.message)
    }

    fn imported(&self, name: &str) -> String {
        if self.is_shadowed { format!(".{name}") } else { name.to_owned() }
    }

    fn next_name(&mut self) -> String {
        self.unnamed += 1;
        format!("{DEFAULT_MESSAGE}{}", self.unnamed)
    }

    fn field(
        &mut self,
        schema: &Connect<'_>,
        number: u32,
        in_oneof: bool,
        scope: &mut Scope,
    ) -> Result<ProtoField, Refused> {
        let name = self.settings.identifier(schema.text("field").ok_or("a field has no name")?)?;
        let is_collection = matches!(schema.text("type"), Some("array" | "map"));
        let (label, typed) = if in_oneof && is_collection {
            (None, self.single(schema, false, scope)?)
        } else {
            self.repeatable(schema, scope)?
        };
        let is_wrapper = self.is_wrapped(schema) && !in_oneof;
        let label = match label {
            None if self.settings.optional && schema.is_optional() && !in_oneof && !is_collection && !is_wrapper => {
                Some("optional")
            }
            label => label,
        };
        let typed = if is_wrapper { self.wrapped(schema, typed)? } else { typed };
        Ok(ProtoField { label, type_name: typed.name, name, number, meta: typed.meta, json_name: None })
    }

    /// Whether a value is written as a message, so that it may be absent.
    fn is_wrapped(&self, schema: &Connect<'_>) -> bool {
        self.settings.wrappers && schema.is_optional() && wrapper_of(schema).is_some() && symbols_of(schema).is_none()
    }

    fn wrapped(&mut self, schema: &Connect<'_>, typed: Typed) -> Result<Typed, Refused> {
        let name = wrapper_of(schema).ok_or("there is no wrapper")?;
        self.imports.insert(WRAPPERS_FILE);
        Ok(Typed { name: self.imported(&format!("google.protobuf.{name}")), meta: typed.meta })
    }

    /// A type that may be repeated.
    fn repeatable(
        &mut self,
        schema: &Connect<'_>,
        scope: &mut Scope,
    ) -> Result<(Option<&'static str>, Typed), Refused> {
        match schema.text("type") {
            Some("array") => {
                let items = schema.part("items")?;
                let typed = self.single(&items, true, scope)?;
                let more = [(CONNECT_ITEMS, own_schema(&items, &typed))];
                Ok((Some("repeated"), Typed { name: typed.name, meta: self.attributes(schema, None, &more) }))
            }
            Some("map") => self.map(schema, scope),
            _ => Ok((None, self.single(schema, false, scope)?)),
        }
    }

    fn map(&mut self, schema: &Connect<'_>, scope: &mut Scope) -> Result<(Option<&'static str>, Typed), Refused> {
        let (keys, values) = (schema.part("keys")?, schema.part("values")?);
        let is_key = matches!(keys.text("type"), Some("int8" | "int16" | "int32" | "int64" | "boolean" | "string"))
            && !is_logical(&keys)
            && symbols_of(&keys).is_none();
        if is_key && !schema.text("field").is_some_and(|field| scope.hidden_maps.contains(field)) {
            let key = self.single(&keys, true, scope)?;
            let mut value = self.single(&values, true, scope)?;
            let more = [(CONNECT_KEYS, own_schema(&keys, &key)), (CONNECT_VALUES, own_schema(&values, &value))];
            if self.is_wrapped(&values) {
                value = self.wrapped(&values, value)?;
            }
            let name = format!("map<{}, {}>", key.name, value.name);
            return Ok((None, Typed { name, meta: self.attributes(schema, None, &more) }));
        }
        let mut entry = Scope::new("MapEntry".to_owned(), &["key", "value", "KeyEntry", "ValueEntry"]);
        for ((part, name), number) in [(keys, "key"), (values, "value")].into_iter().zip(1..) {
            let (label, typed) = self.repeatable(&part, &mut entry)?;
            let field = ProtoField {
                label,
                type_name: typed.name,
                name: name.to_owned(),
                number,
                meta: typed.meta,
                json_name: None,
            };
            entry.message.members.push(ProtoMember::Field(field));
        }
        entry.message.meta.params.insert(CONNECT_TYPE.to_owned(), ENTRY.to_owned());
        let name = define(entry.message, None, scope);
        Ok((Some("repeated"), Typed { name, meta: self.attributes(schema, None, &[]) }))
    }

    /// A type that is not repeated. Arrays and maps are messages then.
    fn single(&mut self, schema: &Connect<'_>, is_element: bool, scope: &mut Scope) -> Result<Typed, Refused> {
        let kind = schema.text("type").ok_or("a schema has no `type`")?;
        let own = |kind: &str| [(CONNECT_TYPE, Some(kind.to_owned()))];
        let logical = match (kind, schema.text("name")) {
            ("int64", Some(TIMESTAMP)) => Some((TIMESTAMP_MESSAGE, TIMESTAMP_FILE)),
            ("int32", Some(DATE)) => Some((DATE_MESSAGE, DATE_FILE)),
            ("int32", Some(TIME)) => Some((TIME_MESSAGE, TIME_FILE)),
            ("bytes", Some(DECIMAL)) => Some((DECIMAL_MESSAGE, DECIMAL_FILE)),
            _ => None,
        };
        if let Some((message, file)) = logical {
            self.imports.insert(file);
            let meta = self.attributes(schema, schema.text("name"), &[]);
            return Ok(Typed { name: self.imported(message), meta });
        }
        let name = match kind {
            "boolean" => "bool",
            "int8" | "int16" => {
                return Ok(Typed { name: "int32".to_owned(), meta: self.attributes(schema, None, &own(kind)) });
            }
            "int32" | "string" if symbols_of(schema).is_some() => {
                if let Some(name) = self.enumeration(schema, scope)? {
                    return Ok(Typed {
                        name,
                        meta: self.attributes(schema, None, &[]).without_symbols(self.settings.enhanced),
                    });
                }
                kind
            }
            "int32" | "int64" | "string" | "bytes" | "float" | "double" => kind,
            "array" | "map" => {
                let message = self.wrapper(schema)?;
                return Ok(Typed { name: define(message, None, scope), meta: Meta::default() });
            }
            "struct" => {
                let message = self.message(schema)?;
                let name = define(message, schema.text("name").filter(|_| self.settings.enhanced), scope);
                let mut meta = Meta::default();
                if let Some(default) = schema.default().filter(|_| !is_element) {
                    meta.params.insert(CONNECT_DEFAULT.to_owned(), default.to_string());
                }
                return Ok(Typed { name, meta });
            }
            other => return Err(format!("unknown schema type {other}")),
        };
        Ok(Typed { name: name.to_owned(), meta: self.attributes(schema, None, &[]) })
    }

    /// The name of the enum that a schema is one of; `None` if there cannot be one in this message.
    fn enumeration(&self, schema: &Connect<'_>, scope: &mut Scope) -> Result<Option<String>, Refused> {
        let Some((full_name, symbols)) = symbols_of(schema) else { return Ok(None) };
        let name = self.settings.identifier(simple_name(full_name))?;
        let symbols: Vec<_> = symbols.into_iter().map(|(symbol, number)| (symbol.to_owned(), number)).collect();
        let enumeration = ProtoEnum { name: name.clone(), symbols };
        if scope.message.enums.contains(&enumeration) {
            return Ok(Some(name));
        }
        let names = || std::iter::once(&name).chain(enumeration.symbols.iter().map(|(symbol, _)| symbol));
        let is_free = |name: &String| !is_word(name) && !scope.names.contains(name) && *name != scope.message.name;
        if !names().all(is_free) || names().collect::<BTreeSet<_>>().len() <= enumeration.symbols.len() {
            return Ok(None);
        }
        scope.names.extend(names().cloned());
        scope.message.enums.push(enumeration);
        Ok(Some(name))
    }

    fn oneof_name(&self, schema: &Connect<'_>, field: &str) -> String {
        let named =
            schema.text("name").and_then(|name| name.strip_prefix(UNION)).and_then(|name| name.strip_prefix('.'));
        schema.parameter(GENERAL_UNION).or(named).unwrap_or(field).to_owned()
    }

    /// What Protobuf has no word for. `natural` is the name that the type itself says.
    fn attributes(&self, schema: &Connect<'_>, natural: Option<&str>, more: &[(&str, Option<String>)]) -> Meta {
        let mut meta =
            Meta { doc: schema.text("doc").filter(|doc| !doc.is_empty()).map(str::to_owned), ..Meta::default() };
        let mut put = |name: &str, value: &str| meta.params.insert(name.to_owned(), value.to_owned());
        let is_decimal = natural == Some(DECIMAL);
        for (name, value) in schema.parameters() {
            match name {
                DECIMAL_PRECISION if is_decimal => drop(put(PRECISION, value)),
                SCALE if is_decimal => drop(put(SCALE, value)),
                TAG | GENERAL_UNION | CONNECT_TYPE | CONNECT_NAME | CONNECT_VERSION | CONNECT_DEFAULT
                | CONNECT_ITEMS | CONNECT_KEYS | CONNECT_VALUES => {}
                _ => drop(put(name, value)),
            }
        }
        if natural.is_none() {
            let is_struct = schema.text("type") == Some("struct");
            if let Some(name) = schema.text("name").filter(|_| !is_struct) {
                put(CONNECT_NAME, name);
            }
            if let Some(version) = schema.0.get("version").and_then(Value::as_i64) {
                put(CONNECT_VERSION, &version.to_string());
            }
        }
        if let Some(default) = schema.default() {
            put(CONNECT_DEFAULT, &default.to_string());
        }
        for (name, value) in more {
            if let Some(value) = value {
                put(name, value);
            }
        }
        meta
    }
}

impl Meta {
    /// Without the parameters that an enum says itself: its symbols, and its name unless that is to keep its package.
    fn without_symbols(mut self, keeps_name: bool) -> Self {
        self.params.retain(|name, _| match name.as_str() {
            ENUM | GENERAL_ENUM => keeps_name,
            other => !other.starts_with(ENUM) && !other.starts_with(GENERAL_ENUM),
        });
        self
    }
}

/// Adds a message to the one around it. One that is there already is the same; another of its name gets a number.
fn define(mut message: ProtoMessage, full_name: Option<&str>, scope: &mut Scope) -> String {
    let given = message.name.clone();
    if let Some(full_name) = full_name {
        message.meta.params.insert(CONNECT_NAME.to_owned(), full_name.to_owned());
    }
    for number in 1.. {
        if number > 1 {
            message.name = format!("{given}{number}");
            message.meta.params.entry(CONNECT_NAME.to_owned()).or_insert_with(|| given.clone());
        }
        if scope.message.messages.contains(&message) {
            return message.name;
        }
        let is_free =
            !is_word(&message.name) && message.name != scope.message.name && !scope.names.contains(&message.name);
        if is_free {
            scope.names.insert(message.name.clone());
            break;
        }
    }
    let name = message.name.clone();
    scope.message.messages.push(message);
    name
}

/// The schema of an item, a key or a value in full, if its type alone does not say it.
fn own_schema(schema: &Connect<'_>, typed: &Typed) -> Option<String> {
    let is_message = matches!(schema.text("type"), Some("struct" | "array" | "map"));
    if is_message || typed.meta.is_empty() {
        return None;
    }
    let mut own = schema.0.clone();
    if let Value::Object(members) = &mut own {
        members.remove("optional");
        members.remove("field");
    }
    Some(own.to_string())
}

/// Whether a struct is a oneof.
pub(crate) fn is_union(schema: &Connect<'_>) -> bool {
    let named = |name: &str| name == UNION || name.strip_prefix(UNION).is_some_and(|rest| rest.starts_with('.'));
    schema.text("type") == Some("struct")
        && (schema.text("name").is_some_and(named) || schema.parameter(GENERAL_UNION).is_some())
}

fn is_logical(schema: &Connect<'_>) -> bool {
    matches!(schema.text("name"), Some(DATE | TIME | TIMESTAMP | DECIMAL))
}

fn wrapper_of(schema: &Connect<'_>) -> Option<&'static str> {
    Some(match schema.text("type").filter(|_| !is_logical(schema))? {
        "boolean" => "BoolValue",
        "int8" | "int16" | "int32" => "Int32Value",
        "int64" => "Int64Value",
        "float" => "FloatValue",
        "double" => "DoubleValue",
        "string" => "StringValue",
        "bytes" => "BytesValue",
        _ => return None,
    })
}

/// The full name of an enum, and its symbols with their numbers, zero first.
fn symbols_of<'a>(schema: &Connect<'a>) -> Option<(&'a str, Vec<(&'a str, i32)>)> {
    if !matches!(schema.text("type"), Some("string" | "int32")) {
        return None;
    }
    let prefix = [ENUM, GENERAL_ENUM].into_iter().find(|prefix| schema.parameter(prefix).is_some())?;
    let name = schema.parameter(prefix).filter(|name| !name.is_empty())?;
    let symbols = schema.parameters().filter_map(|(name, number)| {
        let symbol = name.strip_prefix(prefix)?.strip_prefix('.')?;
        Some(number.parse().ok().filter(|_| crate::identifiers::is_identifier(symbol)).map(|number| (symbol, number)))
    });
    let mut symbols: Vec<(&str, i32)> = symbols.collect::<Option<_>>()?;
    symbols.sort_by_key(|(symbol, number)| (*number != 0, *number, *symbol));
    symbols.first().is_some_and(|(_, number)| *number == 0).then_some((name, symbols))
}

/// Gives fields names in JSON where the usual ones are the same.
fn give_json_names(message: &mut ProtoMessage) {
    let fields = || message.members.iter().flat_map(ProtoMember::fields);
    let mut taken: FxHashSet<String> = fields().map(|field| camel_case(&field.name, false)).collect();
    if taken.len() == fields().count() {
        return;
    }
    let mut usual = FxHashSet::default();
    for field in message.members.iter_mut().flat_map(ProtoMember::fields_mut) {
        if !usual.insert(camel_case(&field.name, false)) {
            let mut name = field.name.clone();
            while !taken.insert(name.clone()) {
                name.push('_');
            }
            field.json_name = Some(name);
        }
    }
}

/// A name without `_`, of which the letters behind one are capitals.
fn camel_case(name: &str, capital: bool) -> String {
    let mut out = String::with_capacity(name.len());
    let mut is_next = capital;
    for character in name.chars() {
        match character {
            '_' => is_next = true,
            _ if is_next => {
                out.push(character.to_ascii_uppercase());
                is_next = false;
            }
            _ => out.push(character),
        }
    }
    out
}

/// Whether a name means something else where the name of a type may stand.
fn is_word(name: &str) -> bool {
    const WORDS: [&str; 39] = [
        "bool",
        "bytes",
        "double",
        "edition",
        "enum",
        "export",
        "extend",
        "extensions",
        "fixed32",
        "fixed64",
        "float",
        "google",
        "group",
        "import",
        "int32",
        "int64",
        "local",
        "map",
        "message",
        "oneof",
        "option",
        "optional",
        "package",
        "public",
        "repeated",
        "required",
        "reserved",
        "returns",
        "rpc",
        "service",
        "sfixed32",
        "sfixed64",
        "sint32",
        "sint64",
        "stream",
        "string",
        "syntax",
        "uint32",
        "uint64",
    ];
    WORDS.contains(&name) || matches!(name, "confluent" | "to" | "max" | "weak" | "inf" | "nan" | "true" | "false")
}
