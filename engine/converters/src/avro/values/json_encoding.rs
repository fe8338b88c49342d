//! Avro's JSON encoding, which Apicurio's converter knows beside the binary one. Avro specification 1.12, "JSON Encoding".

use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde_json::{Map, Value};

use crate::avro::schema::avro_schema::{AvroSchema, Kind, Record};
use crate::avro::values::input::{Input, write_long};
use crate::json::{Decoded, Failure, write_float, write_string};

/// Values may be nested as deep as this.
const MAX_DEPTH: usize = 100;

/// Turns values of one schema from one encoding into the other.
#[derive(Debug)]
pub(crate) struct JsonEncoding {
    schema: Arc<AvroSchema>,
    /// By full name: those that contain themselves are met again.
    records: FxHashMap<Arc<str>, Arc<Record>>,
}

impl JsonEncoding {
    pub(crate) fn new(schema: &Arc<AvroSchema>) -> Self {
        let mut records = FxHashMap::default();
        note_records(schema, &mut records);
        Self { schema: Arc::clone(schema), records }
    }

    /// A message in JSON in binary.
    ///
    /// # Errors
    /// It is no value of this schema.
    pub(crate) fn to_binary(&self, json: &[u8]) -> Decoded<Vec<u8>> {
        let json: Value =
            serde_json::from_slice(json).map_err(|error| Failure::unfit(format!("it is no JSON: {error}")))?;
        let mut out = Vec::new();
        self.write_binary(&self.schema, &json, &mut out)?;
        Ok(out)
    }

    /// Appends a binary value as JSON.
    ///
    /// # Errors
    /// It is nested too deep, or no value of this schema. Parts of it may have been written.
    pub(crate) fn write_json(&self, binary: &[u8], out: &mut Vec<u8>) -> Decoded<()> {
        self.value(&self.schema, &mut Input::new(binary), out, 0)
    }

    fn record(&self, name: &str) -> Decoded<&Arc<Record>> {
        self.records.get(name).ok_or_else(|| Failure::unfit(format!("record `{name}` is not defined")))
    }

    // serde_json limits how deep its values are nested, and each record is a level
    fn write_binary(&self, schema: &AvroSchema, json: &Value, out: &mut Vec<u8>) -> Decoded<()> {
        let unfit = || Failure::unfit(format!("{} is no {}", kind_of(json), schema.type_name()));
        match &schema.kind {
            Kind::Null => json.as_null().ok_or_else(unfit)?,
            Kind::Boolean => out.push(u8::from(json.as_bool().ok_or_else(unfit)?)),
            Kind::Int => {
                let number = json.as_i64().filter(|number| i32::try_from(*number).is_ok());
                write_long(out, number.ok_or_else(unfit)?);
            }
            Kind::Long => write_long(out, json.as_i64().ok_or_else(unfit)?),
            Kind::Float => out.extend_from_slice(&(float_of(json).ok_or_else(unfit)? as f32).to_le_bytes()),
            Kind::Double => out.extend_from_slice(&float_of(json).ok_or_else(unfit)?.to_le_bytes()),
            Kind::String => write_sized(out, json.as_str().ok_or_else(unfit)?.as_bytes()),
            Kind::Bytes => write_sized(out, &bytes_of(json).ok_or_else(unfit)?),
            Kind::Fixed(fixed) => {
                let bytes = bytes_of(json).filter(|bytes| bytes.len() == fixed.size);
                out.extend_from_slice(&bytes.ok_or_else(unfit)?);
            }
            Kind::Enum(symbols) => {
                let symbol = json.as_str().ok_or_else(unfit)?;
                let place = symbols.symbols.iter().position(|one| one == symbol);
                let place = place.ok_or_else(|| Failure::unfit(format!("the enum has no symbol `{symbol}`")))?;
                write_long(out, place as i64);
            }
            Kind::Array(items) => {
                let values = json.as_array().ok_or_else(unfit)?;
                write_block(out, values.len());
                values.iter().try_for_each(|value| self.write_binary(items, value, out))?;
                end_blocks(out, values.len());
            }
            Kind::Map(values) => {
                let entries = json.as_object().ok_or_else(unfit)?;
                write_block(out, entries.len());
                for (key, value) in entries {
                    write_sized(out, key.as_bytes());
                    self.write_binary(values, value, out).map_err(|failure| failure.within(key))?;
                }
                end_blocks(out, entries.len());
            }
            Kind::Union(branches) => {
                let place = branches.iter().position(|branch| is_of_branch(json, branch));
                let place = place.ok_or_else(|| {
                    Failure::unfit("a value of a union is no object with the name of its type, or of another type")
                })?;
                write_long(out, place as i64);
                let branch = &branches[place];
                let inner = json.as_object().and_then(|object| object.values().next()).unwrap_or(json);
                self.write_binary(branch, inner, out)?;
            }
            Kind::Record(record) => self.write_fields(record, json.as_object().ok_or_else(unfit)?, out)?,
            Kind::Recursion(name) => {
                self.write_fields(self.record(name)?, json.as_object().ok_or_else(unfit)?, out)?;
            }
        }
        Ok(())
    }

    fn write_fields(&self, record: &Record, json: &Map<String, Value>, out: &mut Vec<u8>) -> Decoded<()> {
        for field in &record.fields {
            let value = json.get(&field.name);
            let value = value.ok_or_else(|| Failure::unfit("it is missing").within(&field.name))?;
            self.write_binary(&field.schema, value, out).map_err(|failure| failure.within(&field.name))?;
        }
        if json.len() > record.fields.len() {
            let is_known = |name: &String| record.fields.iter().any(|field| field.name == *name);
            let unknown = json.keys().find(|name| !is_known(name)).map_or("", String::as_str);
            return Err(Failure::unfit(format!("record `{}` has no field `{unknown}`", record.full_name)));
        }
        Ok(())
    }

    fn value(&self, schema: &AvroSchema, input: &mut Input<'_>, out: &mut Vec<u8>, depth: usize) -> Decoded<()> {
        if depth > MAX_DEPTH {
            return Err(Failure::unfit(format!("a value is nested deeper than {MAX_DEPTH} levels")));
        }
        match &schema.kind {
            Kind::Null => out.extend_from_slice(b"null"),
            Kind::Boolean => out.extend_from_slice(if input.take(1)? == [0] { b"false" } else { b"true" }),
            Kind::Int | Kind::Long => out.extend_from_slice(itoa::Buffer::new().format(input.long()?).as_bytes()),
            Kind::Float => {
                let number = f32::from_le_bytes(input.take_array()?);
                write_float(out, number, f64::from(number));
            }
            Kind::Double => {
                let number = f64::from_le_bytes(input.take_array()?);
                write_float(out, number, number);
            }
            Kind::String => write_string(out, &input.text()?),
            Kind::Bytes => write_bytes(out, input.sized()?),
            Kind::Fixed(fixed) => write_bytes(out, input.take(fixed.size)?),
            Kind::Enum(symbols) => {
                let index = input.long()?;
                let symbol = usize::try_from(index).ok().and_then(|index| symbols.symbols.get(index));
                write_string(out, symbol.ok_or_else(|| Failure::unfit(format!("the enum has no symbol {index}")))?);
            }
            Kind::Array(items) => {
                blocks(b"[]", input, out, |input, out| self.value(items, input, out, depth + 1))?;
            }
            Kind::Map(values) => blocks(b"{}", input, out, |input, out| {
                write_string(out, &input.text()?);
                out.push(b':');
                self.value(values, input, out, depth + 1)
            })?,
            Kind::Union(branches) => {
                let branch = input.long()?;
                let schema = usize::try_from(branch).ok().and_then(|branch| branches.get(branch));
                let schema = schema.ok_or_else(|| Failure::unfit(format!("the union has no branch {branch}")))?;
                if schema.kind == Kind::Null {
                    out.extend_from_slice(b"null");
                } else {
                    out.push(b'{');
                    write_string(out, branch_name(schema));
                    out.push(b':');
                    self.value(schema, input, out, depth + 1)?;
                    out.push(b'}');
                }
            }
            Kind::Record(record) => self.fields(record, input, out, depth)?,
            Kind::Recursion(name) => self.fields(self.record(name)?, input, out, depth)?,
        }
        Ok(())
    }

    fn fields(&self, record: &Record, input: &mut Input<'_>, out: &mut Vec<u8>, depth: usize) -> Decoded<()> {
        out.push(b'{');
        for (place, field) in record.fields.iter().enumerate() {
            if place > 0 {
                out.push(b',');
            }
            write_string(out, &field.name);
            out.push(b':');
            self.value(&field.schema, input, out, depth + 1).map_err(|failure| failure.within(&field.name))?;
        }
        out.push(b'}');
        Ok(())
    }
}

fn note_records(schema: &AvroSchema, records: &mut FxHashMap<Arc<str>, Arc<Record>>) {
    match &schema.kind {
        Kind::Record(record) => {
            let known = records.insert(Arc::clone(&record.full_name), Arc::clone(record));
            let fields = record.fields.iter().filter(|_| known.is_none());
            fields.for_each(|field| note_records(&field.schema, records));
        }
        Kind::Array(inner) | Kind::Map(inner) => note_records(inner, records),
        Kind::Union(branches) => branches.iter().for_each(|branch| note_records(branch, records)),
        _ => {}
    }
}

fn branch_name(branch: &AvroSchema) -> &str {
    branch.full_name().unwrap_or_else(|| branch.type_name())
}

/// Whether a value in JSON is one of this branch of a union.
fn is_of_branch(json: &Value, branch: &AvroSchema) -> bool {
    match json {
        Value::Null => branch.kind == Kind::Null,
        Value::Object(object) => object.len() == 1 && object.contains_key(branch_name(branch)),
        _ => false,
    }
}

fn kind_of(json: &Value) -> &'static str {
    match json {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// Numbers, and the texts of those that JSON has none for.
fn float_of(json: &Value) -> Option<f64> {
    match json.as_str() {
        Some("NaN") => Some(f64::NAN),
        Some("Infinity") => Some(f64::INFINITY),
        Some("-Infinity") => Some(f64::NEG_INFINITY),
        _ => json.as_f64(),
    }
}

/// Bytes are a text of as many characters, U+0000 to U+00FF.
fn bytes_of(json: &Value) -> Option<Vec<u8>> {
    json.as_str()?.chars().map(|character| u8::try_from(u32::from(character)).ok()).collect()
}

fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    write_string(out, &bytes.iter().map(|byte| char::from(*byte)).collect::<String>());
}

fn write_sized(out: &mut Vec<u8>, bytes: &[u8]) {
    write_long(out, bytes.len() as i64);
    out.extend_from_slice(bytes);
}

fn write_block(out: &mut Vec<u8>, items: usize) {
    write_long(out, items as i64);
}

/// The end of the blocks; a block without items is one.
fn end_blocks(out: &mut Vec<u8>, items: usize) {
    if items > 0 {
        out.push(0);
    }
}

fn blocks(
    brackets: &[u8; 2],
    input: &mut Input<'_>,
    out: &mut Vec<u8>,
    mut item: impl FnMut(&mut Input<'_>, &mut Vec<u8>) -> Decoded<()>,
) -> Decoded<()> {
    out.push(brackets[0]);
    let mut is_first = true;
    loop {
        let count = input.block()?;
        if count == 0 {
            break;
        }
        for _ in 0..count {
            if !std::mem::take(&mut is_first) {
                out.push(b',');
            }
            item(input, out)?;
        }
    }
    out.push(brackets[1]);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::avro::schema::schema_parser::SchemaParser;

    fn encoding(schema: &str) -> JsonEncoding {
        JsonEncoding::new(&Arc::new(SchemaParser::default().parse(schema).unwrap()))
    }

    /// What `json` becomes in binary, and that again.
    fn there_and_back(schema: &str, json: &str) -> String {
        let encoding = encoding(schema);
        let mut back = Vec::new();
        encoding.write_json(&encoding.to_binary(json.as_bytes()).unwrap(), &mut back).unwrap();
        String::from_utf8(back).unwrap()
    }

    const NODE: &str = r#"{"type":"record","name":"x.N","fields":[
        {"name":"v","type":["null","int","string"]},{"name":"next","type":["null","N"]},
        {"name":"all","type":{"type":"map","values":{"type":"array","items":"double"}}},
        {"name":"b","type":"bytes"},{"name":"f","type":{"type":"fixed","name":"F","size":2}},
        {"name":"e","type":{"type":"enum","name":"E","symbols":["A","B"]}}]}"#;

    #[test]
    fn values_of_all_types_come_back() {
        let end = r#"{"v":null,"next":null,"all":{},"b":"","f":"ab","e":"A"}"#;
        let rest = r#""all":{"k":[1.5,"NaN"],"l":[]},"b":"\u0000ÿ","f":"ÿÿ","e":"B""#;
        let json = format!(r#"{{"v":{{"int":7}},"next":{{"x.N":{end}}},{rest}}}"#);
        assert_eq!(there_and_back(NODE, &json), json);
        for (schema, json) in [("\"long\"", "-9223372036854775808"), ("\"float\"", "0.5"), ("\"null\"", "null")] {
            assert_eq!(there_and_back(schema, json), json);
        }
    }

    #[test]
    fn fields_may_stand_in_any_order() {
        let schema = r#"{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"b","type":"int"}]}"#;
        assert_eq!(there_and_back(schema, r#" {"b":2, "a":1} "#), r#"{"a":1,"b":2}"#);
    }

    #[test]
    fn what_is_no_value_of_the_schema_is_refused() {
        let record = r#"{"type":"record","name":"R","fields":[{"name":"a","type":["null","int"]}]}"#;
        for (schema, json) in [
            ("\"int\"", "2147483648"),
            ("\"int\"", "1.5"),
            ("\"long\"", "\"1\""),
            ("\"bytes\"", "\"€\""),
            ("\"string\"", "1"),
            ("\"int\"", "{"),
            (record, "{}"),
            (record, r#"{"a":1}"#),
            (record, r#"{"a":{"long":1}}"#),
            (record, r#"{"a":null,"b":1}"#),
        ] {
            assert!(encoding(schema).to_binary(json.as_bytes()).is_err(), "{schema} {json}");
        }
        let endless = [2_u8, 2].repeat(5_000);
        let nested = r#"{"type":"record","name":"N","fields":[{"name":"n","type":["null","N"]}]}"#;
        assert!(encoding(nested).write_json(&endless, &mut Vec::new()).is_err());
    }
}
