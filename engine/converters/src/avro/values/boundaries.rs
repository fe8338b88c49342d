//! Finds where values end that follow each other without their lengths, as they do in files.
//!
//! A value that has no place in Connect's types, such as a decimal of a thousand digits, can be left out alone, because the
//! next one is found without it. So the values are passed over first, and then read one by one.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::avro::schema::avro_schema::{AvroField, AvroSchema, Kind, Record};
use crate::avro::values::input::Input;
use crate::json::{Decoded, Failure};

/// Values may be nested as deep as this: far deeper than they can be read, but a value must end somewhere.
const MAX_OPEN: usize = 100_000;

/// Passes over values of one schema.
#[derive(Debug)]
pub(crate) struct Boundaries {
    schema: Arc<AvroSchema>,
    /// By full name: those that may contain themselves.
    records: FxHashMap<Arc<str>, Arc<Record>>,
}

/// What is left to pass over of a value that has begun.
#[derive(Debug)]
enum Open<'s> {
    /// The fields of a record.
    Fields(&'s [AvroField]),
    /// The blocks of an array or a map.
    Blocks { item: &'s AvroSchema, has_keys: bool },
    /// As many items of a block.
    Items { item: &'s AvroSchema, has_keys: bool, count: usize },
}

impl Boundaries {
    /// Of values of this schema.
    pub(crate) fn new(schema: Arc<AvroSchema>) -> Self {
        let mut records = FxHashMap::default();
        collect_records(&schema, &mut records);
        Self { schema, records }
    }

    /// Moves the input behind its next value.
    ///
    /// # Errors
    /// The bytes are no value of the schema.
    pub(crate) fn pass_value(&self, input: &mut Input<'_>) -> Decoded<()> {
        let mut open = Vec::new();
        self.begin(&self.schema, input, &mut open)?;
        while let Some(innermost) = open.pop() {
            if open.len() > MAX_OPEN {
                return Err(Failure::unfit(format!("a value is nested deeper than {MAX_OPEN} levels")));
            }
            match innermost {
                Open::Fields(fields) => self.pass_fields(fields, input, &mut open)?,
                Open::Blocks { item, has_keys } => {
                    let count = input.block()?;
                    if count > 0 {
                        open.push(Open::Blocks { item, has_keys });
                        open.push(Open::Items { item, has_keys, count });
                    }
                }
                Open::Items { item, has_keys, count } => self.pass_items(item, has_keys, count, input, &mut open)?,
            }
        }
        Ok(())
    }

    /// Passes over fields up to one that opens something.
    fn pass_fields<'s>(
        &'s self,
        fields: &'s [AvroField],
        input: &mut Input<'_>,
        open: &mut Vec<Open<'s>>,
    ) -> Decoded<()> {
        let depth = open.len();
        for (place, field) in fields.iter().enumerate() {
            self.begin(&field.schema, input, open)?;
            if open.len() > depth {
                // even if none are left: a record that holds itself and nothing else must not go on for ever
                open.insert(depth, Open::Fields(&fields[place + 1..]));
                break;
            }
        }
        Ok(())
    }

    /// Passes over items up to one that opens something.
    fn pass_items<'s>(
        &'s self,
        item: &'s AvroSchema,
        has_keys: bool,
        count: usize,
        input: &mut Input<'_>,
        open: &mut Vec<Open<'s>>,
    ) -> Decoded<()> {
        let depth = open.len();
        for passed in 1..=count {
            if has_keys {
                input.sized()?;
            }
            self.begin(item, input, open)?;
            if open.len() > depth {
                open.insert(depth, Open::Items { item, has_keys, count: count - passed });
                break;
            }
        }
        Ok(())
    }

    /// Passes over a value, or opens it.
    fn begin<'s>(&'s self, mut schema: &'s AvroSchema, input: &mut Input<'_>, open: &mut Vec<Open<'s>>) -> Decoded<()> {
        while let Kind::Union(branches) = &schema.kind {
            let branch = input.long()?;
            let chosen = usize::try_from(branch).ok().and_then(|branch| branches.get(branch));
            schema = chosen.ok_or_else(|| Failure::unfit(format!("the union has no branch {branch}")))?;
        }
        match &schema.kind {
            Kind::Null | Kind::Union(_) => {}
            Kind::Boolean => drop(input.take(1)?),
            Kind::Int | Kind::Long | Kind::Enum(_) => drop(input.long()?),
            Kind::Float => drop(input.take(4)?),
            Kind::Double => drop(input.take(8)?),
            Kind::Bytes | Kind::String => drop(input.sized()?),
            Kind::Fixed(fixed) => drop(input.take(fixed.size)?),
            Kind::Array(item) => open.push(Open::Blocks { item, has_keys: false }),
            Kind::Map(item) => open.push(Open::Blocks { item, has_keys: true }),
            Kind::Record(record) => open.push(Open::Fields(&record.fields)),
            Kind::Recursion(name) => match self.records.get(name) {
                Some(record) => open.push(Open::Fields(&record.fields)),
                None => return Err(Failure::unfit(format!("record `{name}` is not defined"))),
            },
        }
        Ok(())
    }
}

/// Adds the records of a schema, each once however often it stands there.
fn collect_records(schema: &AvroSchema, records: &mut FxHashMap<Arc<str>, Arc<Record>>) {
    match &schema.kind {
        Kind::Array(inner) | Kind::Map(inner) => collect_records(inner, records),
        Kind::Union(branches) => branches.iter().for_each(|branch| collect_records(branch, records)),
        Kind::Record(record) => {
            let is_new = records.insert(Arc::clone(&record.full_name), Arc::clone(record)).is_none();
            let fields = record.fields.iter().filter(|_| is_new);
            fields.for_each(|field| collect_records(&field.schema, records));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::avro::schema::schema_parser::SchemaParser;

    fn boundaries(schema: &str) -> Boundaries {
        Boundaries::new(Arc::new(SchemaParser::default().parse(schema).unwrap()))
    }

    /// How many bytes are left behind the first value.
    fn left(schema: &str, bytes: &[u8]) -> std::result::Result<usize, String> {
        let mut input = Input::new(bytes);
        boundaries(schema).pass_value(&mut input).map_err(|failure| failure.to_string())?;
        Ok(input.left())
    }

    const ALL: &str = r#"{"type":"record","name":"R","fields":[
        {"name":"a","type":"null"},{"name":"b","type":"boolean"},{"name":"c","type":"int"},{"name":"d","type":"long"},
        {"name":"e","type":"float"},{"name":"f","type":"double"},{"name":"g","type":"bytes"},{"name":"h","type":"string"},
        {"name":"i","type":{"type":"fixed","name":"F","size":3}},{"name":"j","type":{"type":"enum","name":"E","symbols":["x"]}},
        {"name":"k","type":{"type":"array","items":{"type":"map","values":["null","long"]}}},
        {"name":"l","type":["null","R"]},{"name":"m","type":{"type":"array","items":"F"}}]}"#;

    /// A value of it that holds another one.
    fn all() -> Vec<u8> {
        let flat = [&[1, 2, 0x80, 1][..], &[0; 4], &[0; 8], &[2, 9, 4, b'h', b'i'], &[7; 3], &[0]].concat();
        let array = [3, 2, 2, 2, b'k', 2, 4, 2, 2, b'n', 0, 0, 0, 0];
        let fixed = [2, 1, 1, 1, 2, 2, 2, 2, 0];
        let inner = [&flat[..], &[0], &[0], &[0]].concat();
        let array = [&[3, 14], &array[2..]].concat();
        [&flat[..], &array, &[2], &inner, &fixed].concat()
    }

    #[test]
    fn the_end_of_any_value_is_found_and_a_part_of_it_is_none() {
        let mut bytes = all();
        assert_eq!(left(ALL, &bytes), Ok(0));
        bytes.extend_from_slice(b"next");
        assert_eq!(left(ALL, &bytes), Ok(4));
        for cut in 0..bytes.len() - 4 {
            assert!(left(ALL, &bytes[..cut]).is_err(), "{cut}");
        }
    }

    #[test]
    fn a_record_may_hold_itself_as_often_as_it_says() {
        let schema =
            r#"{"type":"record","name":"N","fields":[{"name":"v","type":"int"},{"name":"n","type":["null","N"]}]}"#;
        let chain = [[2u8, 2].repeat(50_000), vec![2, 0, 9]].concat();
        assert_eq!(left(schema, &chain), Ok(1));
        let endless = r#"{"type":"record","name":"N","fields":[{"name":"n","type":"N"}]}"#;
        assert!(left(endless, &[0]).unwrap_err().contains("nested deeper"));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let _ = left(ALL, &bytes);
        }
    }
}
