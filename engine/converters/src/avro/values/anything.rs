//! Values without a schema in Avro: as records named `Anything`, of which one field has a value.

use std::sync::{Arc, OnceLock};

use crate::avro::schema::avro_schema::{AvroSchema, Kind};
use crate::avro::schema::schema_parser::SchemaParser;
use crate::avro::values::input::{Input, write_long};
use crate::json::{Cursor, Decoded, Failure, Number, pass_colon, read_number, read_string, write_float, write_string};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Full name of the record.
const ANYTHING: &str = "io.confluent.connect.avro.Anything";

/// Its schema, as Java writes it.
const SCHEMA: &str = r#"{"type":"record","name":"Anything","namespace":"io.confluent.connect.avro","fields":[
{"name":"boolean","type":["null","boolean"],"default":null},{"name":"bytes","type":["null","bytes"],"default":null},
{"name":"double","type":["null","double"],"default":null},{"name":"float","type":["null","float"],"default":null},
{"name":"int","type":["null","int"],"default":null},{"name":"long","type":["null","long"],"default":null},
{"name":"string","type":["null","string"],"default":null},
{"name":"array","type":["null",{"type":"array","items":"Anything"}],"default":null},
{"name":"map","type":["null",{"type":"array","items":{"type":"record","name":"MapEntry","fields":[
{"name":"key","type":"Anything"},{"name":"value","type":"Anything"}]}}],"default":null}]}"#;

/// Number of fields, and those that JSON values are written to.
const FIELDS: usize = 9;
const BOOLEAN: usize = 0;
const DOUBLE: usize = 2;
const LONG: usize = 5;
const STRING: usize = 6;
const ARRAY: usize = 7;
const MAP: usize = 8;

/// Values may be nested as deep as this.
const MAX_DEPTH: usize = 100;

/// The schema of values without one.
///
/// # Errors
/// None: it is a constant.
pub(crate) fn anything_schema() -> Result<Arc<AvroSchema>, String> {
    static PARSED: OnceLock<Result<Arc<AvroSchema>, String>> = OnceLock::new();
    PARSED.get_or_init(|| SchemaParser::default().parse(SCHEMA).map(Arc::new)).clone()
}

/// Whether a schema says that its values have none.
pub(crate) fn is_anything(schema: &AvroSchema) -> bool {
    matches!(&schema.kind, Kind::Record(record) if &*record.full_name == ANYTHING && record.fields.len() == FIELDS)
}

/// Appends a value that is given as JSON.
///
/// # Errors
/// It is no JSON, or nested too deep.
pub(crate) fn write_anything(json: &[u8], out: &mut Vec<u8>) -> Decoded<()> {
    let mut cursor = Cursor::new(json);
    cursor.skip_space();
    write_value(&mut cursor, out, 0)?;
    cursor.expect_end()
}

fn write_value(cursor: &mut Cursor<'_>, out: &mut Vec<u8>, depth: usize) -> Decoded<()> {
    if depth > MAX_DEPTH {
        return Err(too_deep());
    }
    match cursor.peek() {
        Some(b'n') => {
            cursor.expect_literal("null")?;
            out.extend_from_slice(&[0; FIELDS]);
        }
        Some(b't') => {
            cursor.expect_literal("true")?;
            write_field(BOOLEAN, out, |out| out.push(1));
        }
        Some(b'f') => {
            cursor.expect_literal("false")?;
            write_field(BOOLEAN, out, |out| out.push(0));
        }
        Some(b'"') => {
            let mut text = Vec::new();
            read_string(cursor, &mut text)?;
            write_field(STRING, out, |out| write_text(&text, out));
        }
        Some(b'[') => {
            let (mut items, mut count) = (Vec::new(), 0);
            read_members(cursor, b']', |cursor| {
                count += 1;
                write_value(cursor, &mut items, depth + 1)
            })?;
            write_field(ARRAY, out, |out| write_block(count, &items, out));
        }
        Some(b'{') => {
            let (mut entries, mut count) = (Vec::new(), 0);
            let mut key = Vec::new();
            read_members(cursor, b'}', |cursor| {
                count += 1;
                key.clear();
                read_string(cursor, &mut key)?;
                write_field(STRING, &mut entries, |out| write_text(&key, out));
                pass_colon(cursor)?;
                write_value(cursor, &mut entries, depth + 1)
            })?;
            write_field(MAP, out, |out| write_block(count, &entries, out));
        }
        _ => match read_number(cursor)? {
            Number::Int(number) => write_field(LONG, out, |out| write_long(out, number)),
            other => write_field(DOUBLE, out, |out| out.extend_from_slice(&other.as_double().to_le_bytes())),
        },
    }
    Ok(())
}

/// A record of which one field has a value.
fn write_field(field: usize, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    out.extend(std::iter::repeat_n(0, field));
    // the second branch of the union
    out.push(2);
    write(out);
    out.extend(std::iter::repeat_n(0, FIELDS - field - 1));
}

/// Reads what stands between two brackets, with commas between.
fn read_members(
    cursor: &mut Cursor<'_>,
    end: u8,
    mut member: impl FnMut(&mut Cursor<'_>) -> Decoded<()>,
) -> Decoded<()> {
    cursor.advance(1);
    cursor.skip_space();
    if cursor.take(end) {
        return Ok(());
    }
    loop {
        member(cursor)?;
        cursor.skip_space();
        if cursor.take(end) {
            return Ok(());
        }
        if !cursor.take(b',') {
            return Err(cursor.syntax("expected a comma"));
        }
        cursor.skip_space();
    }
}

/// An array in one block.
fn write_block(count: i64, items: &[u8], out: &mut Vec<u8>) {
    if count > 0 {
        write_long(out, count);
        out.extend_from_slice(items);
    }
    out.push(0);
}

fn too_deep() -> Failure {
    Failure::unfit(format!("a value is nested deeper than {MAX_DEPTH} levels"))
}

fn write_text(text: &[u8], out: &mut Vec<u8>) {
    write_long(out, text.len() as i64);
    out.extend_from_slice(text);
}

/// The value of a whole message as JSON text: base64 for bytes, and a map with keys that are no texts as an array of pairs.
///
/// # Errors
/// The bytes are no such record.
pub(crate) fn anything_as_json(message: &[u8]) -> Decoded<Vec<u8>> {
    let (mut input, mut out) = (Input::new(message), Vec::new());
    read_anything(&mut input, &mut out, 0)?;
    match input.left() {
        0 => Ok(out),
        left => Err(Failure::unfit(format!("{left} bytes follow the value"))),
    }
}

fn read_anything(input: &mut Input<'_>, out: &mut Vec<u8>, depth: usize) -> Decoded<()> {
    if depth > MAX_DEPTH {
        return Err(too_deep());
    }
    let start = out.len();
    for field in 0..FIELDS {
        match input.long()? {
            0 => {}
            // the last field that has a value counts
            1 => {
                out.truncate(start);
                read_field(field, input, out, depth)?;
            }
            branch => return Err(Failure::unfit(format!("the union has no branch {branch}"))),
        }
    }
    if out.len() == start {
        out.extend_from_slice(b"null");
    }
    Ok(())
}

fn read_field(field: usize, input: &mut Input<'_>, out: &mut Vec<u8>, depth: usize) -> Decoded<()> {
    match field {
        BOOLEAN => out.extend_from_slice(if input.take(1)? == [0] { b"false" } else { b"true" }),
        DOUBLE => {
            let number = f64::from_le_bytes(input.take_array()?);
            write_float(out, number, number);
        }
        3 => {
            let number = f32::from_le_bytes(input.take_array()?);
            write_float(out, number, f64::from(number));
        }
        4 | LONG => out.extend_from_slice(itoa::Buffer::new().format(input.long()?).as_bytes()),
        STRING => write_string(out, &input.text()?),
        ARRAY => {
            let mut items = Vec::new();
            read_blocks(input, |input| {
                let mut item = Vec::new();
                read_anything(input, &mut item, depth + 1)?;
                items.push(item);
                Ok(())
            })?;
            join(b"[]", &items, out);
        }
        MAP => {
            let mut entries = Vec::new();
            read_blocks(input, |input| {
                let (mut key, mut value) = (Vec::new(), Vec::new());
                read_anything(input, &mut key, depth + 1)?;
                read_anything(input, &mut value, depth + 1)?;
                entries.push([key, value]);
                Ok(())
            })?;
            if entries.iter().all(|[key, _]| key.first() == Some(&b'"')) {
                let members: Vec<_> = entries.iter().map(|entry| entry.join(&b':')).collect();
                join(b"{}", &members, out);
            } else {
                let pairs: Vec<_> = entries.iter().map(|entry| [b"[", &*entry.join(&b','), b"]"].concat()).collect();
                join(b"[]", &pairs, out);
            }
        }
        // bytes
        _ => {
            out.push(b'"');
            out.extend_from_slice(STANDARD.encode(input.sized()?).as_bytes());
            out.push(b'"');
        }
    }
    Ok(())
}

fn read_blocks(input: &mut Input<'_>, mut item: impl FnMut(&mut Input<'_>) -> Decoded<()>) -> Decoded<()> {
    loop {
        let count = input.block()?;
        if count == 0 {
            return Ok(());
        }
        (0..count).try_for_each(|_| item(input))?;
    }
}

fn join(brackets: &[u8; 2], parts: &[Vec<u8>], out: &mut Vec<u8>) {
    out.push(brackets[0]);
    out.extend_from_slice(&parts.join(&b','));
    out.push(brackets[1]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[test]
    fn values_without_a_schema_are_written_as_java_writes_them() {
        let mut out = Vec::new();
        write_anything(br#"{"a": [1, "x", null]}"#, &mut out).unwrap();
        let zeros = |count| "00".repeat(count);
        // a map of one entry: the key, and an array of three
        let key = format!("{}020261{}", zeros(6), zeros(2));
        let one = format!("{}0202{}", zeros(5), zeros(3));
        let x = format!("{}020278{}", zeros(6), zeros(2));
        let array = format!("{}0206{one}{x}{}00{}", zeros(7), zeros(9), zeros(1));
        let expected = format!("{}0202{key}{array}00", zeros(8));
        assert_eq!(out.iter().map(|byte| format!("{byte:02x}")).collect::<String>(), expected);
    }

    #[test]
    fn a_map_with_other_keys_than_texts_is_an_array_of_pairs() {
        let mut out = vec![0; MAP];
        out.extend_from_slice(&[2, 2]);
        write_anything(b"1", &mut out).unwrap();
        write_anything(br#""x""#, &mut out).unwrap();
        out.push(0);
        assert_eq!(anything_as_json(&out).unwrap(), br#"[[1,"x"]]"#);
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (-1e300..1e300).prop_map(Value::from),
            ".*".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 20, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(".*", inner, 0..4)
                    .prop_map(|entries| Value::Object(entries.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_value_comes_back(value in value()) {
            let (text, mut out) = (value.to_string(), Vec::new());
            write_anything(text.as_bytes(), &mut out).unwrap();
            let back = anything_as_json(&out).unwrap();
            // both texts are read by the same reader, which may round
            prop_assert_eq!(serde_json::from_slice::<Value>(&back).unwrap(), serde_json::from_str::<Value>(&text).unwrap());
        }

        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let _ = anything_as_json(&bytes);
        }
    }
}
