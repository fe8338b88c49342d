//! JSON as messages have it, and as the columns of the schema are read from and written to.
//!
//! | in messages | in the form of JsonConverter |
//! |---|---|
//! | a value that may be of several types: `5` | a struct with a field for each: `{"io.confluent.connect.json.OneOf.field.1": 5}` |
//! | a map with keys other than text: `[{"key": 1, "value": 2}]` | `[[1, 2]]` |
//!
//! Everything else is the same, and is copied as it stands: numbers keep their digits.

use serde_json::Value;
use volley_api::schema::{DECIMAL, JSON_EXTENSION};

use super::names::{is_union, symbols_of};
use crate::json::{Cursor, Decoded, Failure, pass_colon, read_text, skip_value, write_string};

/// What is different in values of one schema.
#[derive(Debug)]
pub(crate) enum Shape {
    /// Nothing.
    Same,
    /// Fields of a struct, by name; those that are not here are the same.
    Fields(Vec<(String, Shape)>),
    /// Items of an array.
    Items(Box<Shape>),
    /// Values of a map with text keys.
    Values(Box<Shape>),
    /// Keys and values of another map.
    Entries(Box<(Shape, Shape)>),
    /// One of several types.
    Union(Vec<Branch>),
}

/// One type of several.
#[derive(Debug)]
pub(crate) struct Branch {
    /// The field of the struct.
    field: String,
    takes: Takes,
    shape: Shape,
}

/// Which JSON is a value of a type.
#[derive(Debug)]
enum Takes {
    Boolean,
    /// From the first to the last of these.
    Integer(i64, i64),
    Number,
    Text,
    /// One of these texts.
    Symbol(Vec<String>),
    /// Base64, and numbers too.
    Decimal,
    Items,
    /// Objects with members of these names, and whether each must be there.
    Members(Vec<(String, bool)>),
    Map,
    Entries,
    Anything,
}

impl Shape {
    /// The shape of values of a Connect schema in its JSON form.
    pub(crate) fn of(connect: &Value) -> Self {
        let fields = || connect.get("fields").and_then(Value::as_array).into_iter().flatten();
        let name = |field: &Value| field.get("field").and_then(Value::as_str).unwrap_or_default().to_owned();
        let part = |name: &str| connect.get(name).map_or(Self::Same, Self::of);
        let unless_same = |shape: Self, make: fn(Box<Self>) -> Self| match shape {
            Self::Same => Self::Same,
            shape => make(Box::new(shape)),
        };
        match connect.get("type").and_then(Value::as_str) {
            Some("struct") if is_union(connect) => {
                let branches = fields().map(|field| Branch {
                    field: name(field),
                    takes: Takes::of(field),
                    shape: Self::of(field),
                });
                Self::Union(branches.collect())
            }
            Some("struct") => {
                let shapes = fields().map(|field| (name(field), Self::of(field)));
                let shapes: Vec<_> = shapes.filter(|(_, shape)| !matches!(shape, Self::Same)).collect();
                if shapes.is_empty() { Self::Same } else { Self::Fields(shapes) }
            }
            Some("array") => unless_same(part("items"), Self::Items),
            Some("map") if has_text_keys(connect) => unless_same(part("values"), Self::Values),
            Some("map") => Self::Entries(Box::new((part("keys"), part("values")))),
            _ => Self::Same,
        }
    }

    /// Whether messages are as columns are read.
    pub(crate) fn is_same(&self) -> bool {
        matches!(self, Self::Same)
    }

    /// A message in the form that columns are read from.
    ///
    /// # Errors
    /// It is no JSON, or a value is of none of the types that it may be of.
    pub(crate) fn read(&self, message: &[u8]) -> Decoded<Vec<u8>> {
        let mut cursor = Cursor::new(message);
        cursor.skip_space();
        let mut out = Vec::with_capacity(message.len() + 64);
        self.turn(&mut cursor, &mut out, Way::Read)?;
        cursor.expect_end()?;
        Ok(out)
    }

    /// Appends a value that columns were written to as messages have it.
    ///
    /// # Errors
    /// It is no JSON.
    pub(crate) fn write(&self, value: &[u8], out: &mut Vec<u8>) -> Decoded<()> {
        self.turn(&mut Cursor::new(value), out, Way::Write)
    }

    fn turn(&self, cursor: &mut Cursor<'_>, out: &mut Vec<u8>, way: Way) -> Decoded<()> {
        match (self, cursor.peek()) {
            (Self::Fields(fields), Some(b'{')) => members(cursor, out, |name, cursor, out| {
                match fields.iter().find(|(field, _)| field.as_bytes() == name) {
                    Some((field, shape)) => shape.turn(cursor, out, way).map_err(|failure| failure.within(field)),
                    None => copy(cursor, out),
                }
            }),
            (Self::Values(shape), Some(b'{')) => members(cursor, out, |_, cursor, out| shape.turn(cursor, out, way)),
            (Self::Items(shape), Some(b'[')) => items(cursor, out, |cursor, out| shape.turn(cursor, out, way)),
            (Self::Entries(shapes), Some(b'[')) => items(cursor, out, |cursor, out| entry(shapes, cursor, out, way)),
            // a null is one whatever it might have been
            (Self::Union(branches), first) if first != Some(b'n') => match way {
                Way::Read => into_field(branches, cursor, out),
                Way::Write => out_of_field(branches, cursor, out),
            },
            _ => copy(cursor, out),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Read,
    Write,
}

fn has_text_keys(map: &Value) -> bool {
    map.get("keys").and_then(|keys| keys.get("type")).is_some_and(|name| name == "string")
}

fn copy(cursor: &mut Cursor<'_>, out: &mut Vec<u8>) -> Decoded<()> {
    let start = cursor.pos();
    skip_value(cursor)?;
    out.extend_from_slice(cursor.since(start));
    Ok(())
}

/// The value of the type that fits best, as the field of that type.
fn into_field(branches: &[Branch], cursor: &mut Cursor<'_>, out: &mut Vec<u8>) -> Decoded<()> {
    let start = cursor.pos();
    skip_value(cursor)?;
    let value = cursor.since(start);
    let mut best: Option<(&Branch, Fit)> = None;
    for branch in branches {
        let fit = branch.takes.fit(value)?;
        // of several that fit alike, the first
        if let Some(fit) = fit.filter(|fit| best.as_ref().is_none_or(|(_, best)| fit > best)) {
            best = Some((branch, fit));
        }
    }
    let Some((branch, _)) = best else {
        return Err(Failure::unfit("the value is of none of the types that it may be of"));
    };
    out.push(b'{');
    write_string(out, &branch.field);
    out.push(b':');
    branch.shape.turn(&mut Cursor::new(value), out, Way::Read)?;
    out.push(b'}');
    Ok(())
}

/// The first field that is not null, without the struct around it.
fn out_of_field(branches: &[Branch], cursor: &mut Cursor<'_>, out: &mut Vec<u8>) -> Decoded<()> {
    let mut is_found = false;
    let mut skipped = Vec::new();
    members(cursor, &mut skipped, |name, cursor, skipped| {
        skipped.clear();
        let branch = branches.iter().find(|branch| branch.field.as_bytes() == name);
        match branch.filter(|_| !is_found && cursor.peek() != Some(b'n')) {
            Some(branch) => {
                is_found = true;
                branch.shape.turn(cursor, out, Way::Write)
            }
            None => copy(cursor, skipped),
        }
    })?;
    if !is_found {
        out.extend_from_slice(b"null");
    }
    Ok(())
}

/// An object with a key and a value as a pair, or a pair as such an object.
fn entry(shapes: &(Shape, Shape), cursor: &mut Cursor<'_>, out: &mut Vec<u8>, way: Way) -> Decoded<()> {
    let (mut key, mut value) = (b"null".to_vec(), b"null".to_vec());
    match (way, cursor.peek()) {
        (Way::Read, Some(b'{')) => {
            let mut skipped = Vec::new();
            members(cursor, &mut skipped, |name, cursor, skipped| {
                skipped.clear();
                let (part, shape) = match name {
                    b"key" => (&mut key, &shapes.0),
                    b"value" => (&mut value, &shapes.1),
                    _ => return copy(cursor, skipped),
                };
                part.clear();
                shape.turn(cursor, part, way)
            })?;
            write_pair(out, [b"[", &key, b",", &value, b"]"]);
        }
        (Way::Write, Some(b'[')) => {
            let mut place = 0;
            let mut skipped = Vec::new();
            items(cursor, &mut skipped, |cursor, _| {
                place += 1;
                let (part, shape) = if place == 1 { (&mut key, &shapes.0) } else { (&mut value, &shapes.1) };
                part.clear();
                shape.turn(cursor, part, way)
            })?;
            write_pair(out, [b"{\"key\":", &key, b",\"value\":", &value, b"}"]);
        }
        _ => return Err(Failure::unfit("an entry of a map is no object with a key and a value")),
    }
    Ok(())
}

fn write_pair(out: &mut Vec<u8>, parts: [&[u8]; 5]) {
    parts.into_iter().for_each(|part| out.extend_from_slice(part));
}

/// Copies an object; `value` gets the name of each member, and copies its value.
fn members(
    cursor: &mut Cursor<'_>,
    out: &mut Vec<u8>,
    mut value: impl FnMut(&[u8], &mut Cursor<'_>, &mut Vec<u8>) -> Decoded<()>,
) -> Decoded<()> {
    sequence(cursor, out, [b'{', b'}'], |cursor, out| {
        let start = cursor.pos();
        let name = read_text(cursor)?;
        out.extend_from_slice(cursor.since(start));
        pass_colon(cursor)?;
        out.push(b':');
        value(&name, cursor, out)
    })
}

fn items(
    cursor: &mut Cursor<'_>,
    out: &mut Vec<u8>,
    item: impl FnMut(&mut Cursor<'_>, &mut Vec<u8>) -> Decoded<()>,
) -> Decoded<()> {
    sequence(cursor, out, [b'[', b']'], item)
}

fn sequence(
    cursor: &mut Cursor<'_>,
    out: &mut Vec<u8>,
    [start, end]: [u8; 2],
    mut item: impl FnMut(&mut Cursor<'_>, &mut Vec<u8>) -> Decoded<()>,
) -> Decoded<()> {
    cursor.advance(1);
    out.push(start);
    cursor.skip_space();
    if cursor.take(end) {
        out.push(end);
        return Ok(());
    }
    loop {
        item(cursor, out)?;
        cursor.skip_space();
        if cursor.take(end) {
            out.push(end);
            return Ok(());
        }
        if !cursor.take(b',') {
            return Err(cursor.syntax("expected a comma or the end of the container"));
        }
        out.push(b',');
        cursor.skip_space();
    }
}

/// How well a value fits a type; the greatest is the best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Fit {
    rank: u8,
    /// Members that the type knows.
    known: usize,
    /// Less those that it does not know.
    unknown: std::cmp::Reverse<usize>,
}

const ONLY_JUST: Fit = Fit::of(0);
const LOOSELY: Fit = Fit::of(1);
const WELL: Fit = Fit::of(2);

impl Fit {
    const fn of(rank: u8) -> Self {
        Self { rank, known: 0, unknown: std::cmp::Reverse(0) }
    }
}

impl Takes {
    /// What is a value of a Connect schema in its JSON form.
    fn of(connect: &Value) -> Self {
        let text = |member: &str| connect.get(member).and_then(Value::as_str);
        if text("name") == Some(JSON_EXTENSION) || is_union(connect) {
            return Self::Anything;
        }
        match text("type").unwrap_or_default() {
            "boolean" => Self::Boolean,
            "int8" => Self::Integer(i8::MIN.into(), i8::MAX.into()),
            "int16" => Self::Integer(i16::MIN.into(), i16::MAX.into()),
            "int32" => Self::Integer(i32::MIN.into(), i32::MAX.into()),
            "int64" => Self::Integer(i64::MIN, i64::MAX),
            "float" | "double" => Self::Number,
            "bytes" if text("name") == Some(DECIMAL) => Self::Decimal,
            "string" => match symbols_of(connect) {
                symbols if symbols.is_empty() => Self::Text,
                symbols => Self::Symbol(symbols),
            },
            "array" => Self::Items,
            "map" if has_text_keys(connect) => Self::Map,
            "map" => Self::Entries,
            "struct" => {
                let fields = connect.get("fields").and_then(Value::as_array).into_iter().flatten();
                let members = fields.map(|field| {
                    let name = field.get("field").and_then(Value::as_str).unwrap_or_default().to_owned();
                    let may_lack = field.get("optional").and_then(Value::as_bool).unwrap_or(false)
                        || field.get("default").is_some();
                    (name, !may_lack)
                });
                Self::Members(members.collect())
            }
            _ => Self::Text,
        }
    }

    /// Whether this JSON, which is not null, is such a value.
    fn fit(&self, json: &[u8]) -> Decoded<Option<Fit>> {
        let first = json.first().copied().unwrap_or_default();
        let is_number = first == b'-' || first.is_ascii_digit();
        Ok(match self {
            Self::Anything => Some(ONLY_JUST),
            Self::Boolean => matches!(first, b't' | b'f').then_some(WELL),
            Self::Integer(least, greatest) => {
                let number = std::str::from_utf8(json).ok().filter(|_| is_number).and_then(|text| text.parse().ok());
                number.is_some_and(|number: i64| (least..=greatest).contains(&&number)).then_some(WELL)
            }
            Self::Number => is_number.then_some(LOOSELY),
            Self::Decimal => (is_number || first == b'"').then_some(ONLY_JUST),
            Self::Text => (first == b'"').then_some(LOOSELY),
            Self::Symbol(symbols) if first == b'"' => {
                let text = read_text(&mut Cursor::new(json))?;
                symbols.iter().any(|symbol| symbol.as_bytes() == &*text).then_some(WELL)
            }
            Self::Symbol(_) => None,
            Self::Items => (first == b'[').then_some(LOOSELY),
            Self::Entries if first == b'[' => is_entries(json)?.then_some(WELL),
            Self::Entries => None,
            Self::Map => (first == b'{').then_some(LOOSELY),
            Self::Members(members) if first == b'{' => fit_of_members(members, json)?,
            Self::Members(_) => None,
        })
    }
}

fn fit_of_members(wanted: &[(String, bool)], json: &[u8]) -> Decoded<Option<Fit>> {
    let mut found = vec![false; wanted.len()];
    let mut unknown = 0;
    let mut skipped = Vec::new();
    members(&mut Cursor::new(json), &mut skipped, |name, cursor, skipped| {
        skipped.clear();
        match wanted.iter().position(|(wanted, _)| wanted.as_bytes() == name) {
            Some(place) => found[place] = true,
            None => unknown += 1,
        }
        copy(cursor, skipped)
    })?;
    let known = found.iter().filter(|found| **found).count();
    let is_complete = wanted.iter().zip(&found).all(|((_, is_needed), found)| *found || !is_needed);
    Ok(is_complete.then_some(Fit { rank: WELL.rank, known, unknown: std::cmp::Reverse(unknown) }))
}

/// Whether the first item of an array is an entry of a map.
fn is_entries(json: &[u8]) -> Decoded<bool> {
    let mut cursor = Cursor::new(json);
    cursor.advance(1);
    cursor.skip_space();
    if cursor.peek() != Some(b'{') {
        return Ok(false);
    }
    let mut names = 0;
    let mut skipped = Vec::new();
    members(&mut cursor, &mut skipped, |name, cursor, skipped| {
        skipped.clear();
        names += usize::from(matches!(name, b"key" | b"value"));
        copy(cursor, skipped)
    })?;
    Ok(names == 2)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn union(fields: Value) -> Value {
        json!({"type": "struct", "name": super::super::names::ONE_OF, "fields": fields})
    }

    /// `message` as it is read, and that as it is written again.
    fn turned(connect: &Value, message: &str) -> (String, String) {
        let shape = Shape::of(connect);
        let read = shape.read(message.as_bytes()).unwrap();
        let mut written = Vec::new();
        shape.write(&read, &mut written).unwrap();
        (String::from_utf8(read).unwrap(), String::from_utf8(written).unwrap())
    }

    #[test]
    fn only_unions_and_maps_with_other_keys_are_turned() {
        let plain = json!({"type": "struct", "fields": [
            {"field": "a", "type": "array", "items": {"type": "map", "keys": {"type": "string"}, "values": {"type": "int8"}}},
        ]});
        assert!(Shape::of(&plain).is_same());
        let map = json!({"type": "struct", "fields": [
            {"field": "m", "type": "map", "keys": {"type": "int32"}, "values": {"type": "string"}}, {"field": "x", "type": "string"},
        ]});
        let message = r#"{"x":"1.00","m":[{"key":1,"value":"a"},{"value":null,"key":2}],"y":1.10}"#;
        let (read, written) = turned(&map, message);
        assert_eq!(read, r#"{"x":"1.00","m":[[1,"a"],[2,null]],"y":1.10}"#);
        assert_eq!(written, r#"{"x":"1.00","m":[{"key":1,"value":"a"},{"key":2,"value":null}],"y":1.10}"#);
    }

    #[test]
    fn a_value_goes_to_the_type_that_fits_best() {
        let types = union(json!([
            {"field": "small", "type": "int8"}, {"field": "large", "type": "int64"}, {"field": "number", "type": "double"},
            {"field": "symbol", "type": "string", "parameters": {"io.confluent.connect.json.Enum.A": "A"}},
            {"field": "text", "type": "string"}, {"field": "flag", "type": "boolean"},
            {"field": "one", "type": "struct", "fields": [{"field": "a", "type": "int8"}]},
            {"field": "two", "type": "struct", "fields": [{"field": "a", "type": "int8"}, {"field": "b", "type": "int8", "optional": true}]},
            {"field": "all", "type": "map", "keys": {"type": "string"}, "values": {"type": "int8"}},
            {"field": "list", "type": "array", "items": {"type": "int8"}},
            {"field": "pairs", "type": "map", "keys": {"type": "int8"}, "values": {"type": "int8"}},
        ]));
        for (message, field) in [
            ("5", "small"),
            ("500", "large"),
            ("1e2", "number"),
            ("9223372036854775808", "number"),
            ("\"A\"", "symbol"),
            ("\"B\"", "text"),
            ("true", "flag"),
            (r#"{"a":1}"#, "one"),
            (r#"{"a":1,"b":2}"#, "two"),
            (r#"{"c":1}"#, "all"),
            ("[1]", "list"),
            (r#"[{"key":1,"value":2}]"#, "pairs"),
        ] {
            let (read, written) = turned(&types, message);
            assert!(read.starts_with(&format!("{{\"{field}\":")), "{message}: {read}");
            assert_eq!(written, message);
        }
        assert_eq!(turned(&types, "null"), ("null".to_owned(), "null".to_owned()));
    }

    #[test]
    fn what_fits_no_type_is_refused_with_its_place() {
        let connect = json!({"type": "struct", "fields": [
            {"field": "u", "type": "struct", "name": super::super::names::ONE_OF, "fields": [{"field": "n", "type": "int8"}]},
        ]});
        let shape = Shape::of(&connect);
        let failure = shape.read(br#"{"u":"x"}"#).unwrap_err().to_string();
        assert!(failure.contains('u') && failure.contains("none of the types"), "{failure}");
        for message in ["", "{", r#"{"u":}"#, r#"{"u":1,}"#, r#"{"u":1} x"#, r#"{"u":[}"#] {
            assert!(shape.read(message.as_bytes()).is_err(), "{message}");
        }
    }
}
