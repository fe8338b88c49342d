//! Avro values as JSON text: for records that contain themselves, which no Arrow type can.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustc_hash::FxHashMap;

use crate::avro::schema::avro_schema::{AvroSchema, Kind, Record};
use crate::avro::values::input::Input;
use crate::json::{Decoded, Failure, write_float, write_string};

/// Values may be nested as deep as this.
const MAX_DEPTH: usize = 200;

/// How a record is written that contains itself.
#[derive(Debug)]
pub(crate) struct JsonPlan {
    record: Arc<Record>,
    /// By full name.
    around: FxHashMap<Arc<str>, Arc<Record>>,
}

impl JsonPlan {
    /// For a record, and those around it.
    pub(crate) fn new(record: &Arc<Record>, around: &[Arc<Record>]) -> Self {
        let around = around.iter().map(|record| (Arc::clone(&record.full_name), Arc::clone(record))).collect();
        Self { record: Arc::clone(record), around }
    }

    /// Appends the next value as JSON: objects for records and maps, base64 for bytes, the text of a symbol, and of a union
    /// just the value.
    ///
    /// # Errors
    /// The bytes are no such value. Parts of it may have been written.
    pub(crate) fn write(&self, input: &mut Input<'_>, out: &mut Vec<u8>) -> Decoded<()> {
        self.record(&self.record, input, out, 0)
    }

    fn record(&self, record: &Record, input: &mut Input<'_>, out: &mut Vec<u8>, depth: usize) -> Decoded<()> {
        if depth > MAX_DEPTH {
            return Err(Failure::unfit(format!("a value is nested deeper than {MAX_DEPTH} levels")));
        }
        let mut separator = b'{';
        for field in &record.fields {
            out.push(separator);
            separator = b',';
            write_string(out, &field.name);
            out.push(b':');
            self.value(&field.schema, input, out, depth + 1).map_err(|failure| failure.within(&field.name))?;
        }
        out.extend_from_slice(if record.fields.is_empty() { b"{}" } else { b"}" });
        Ok(())
    }

    fn value(&self, schema: &AvroSchema, input: &mut Input<'_>, out: &mut Vec<u8>, depth: usize) -> Decoded<()> {
        match &schema.kind {
            Kind::Null => out.extend_from_slice(b"null"),
            Kind::Boolean => out.extend_from_slice(if input.take(1)? == [0] { b"false" } else { b"true" }),
            Kind::Int | Kind::Long => {
                out.extend_from_slice(itoa::Buffer::new().format(input.long()?).as_bytes());
            }
            Kind::Float => {
                let number = f32::from_le_bytes(input.take_array()?);
                write_float(out, number, f64::from(number));
            }
            Kind::Double => {
                let number = f64::from_le_bytes(input.take_array()?);
                write_float(out, number, number);
            }
            Kind::String => write_string(out, &input.text()?),
            Kind::Bytes => write_base64(out, input.sized()?),
            Kind::Fixed(fixed) => write_base64(out, input.take(fixed.size)?),
            Kind::Enum(symbols) => {
                let index = input.long()?;
                let symbol = usize::try_from(index).ok().and_then(|index| symbols.symbols.get(index));
                write_string(out, symbol.ok_or_else(|| Failure::unfit(format!("the enum has no symbol {index}")))?);
            }
            Kind::Array(items) => {
                self.blocks(b"[]", input, out, |plan, input, out| plan.value(items, input, out, depth + 1))?
            }
            Kind::Map(values) => self.blocks(b"{}", input, out, |plan, input, out| {
                write_string(out, &input.text()?);
                out.push(b':');
                plan.value(values, input, out, depth + 1)
            })?,
            Kind::Union(branches) => {
                let branch = input.long()?;
                let schema = usize::try_from(branch).ok().and_then(|branch| branches.get(branch));
                let schema = schema.ok_or_else(|| Failure::unfit(format!("the union has no branch {branch}")))?;
                self.value(schema, input, out, depth)?;
            }
            Kind::Record(record) => self.record(record, input, out, depth)?,
            Kind::Recursion(name) => match self.around.get(name) {
                Some(record) => self.record(record, input, out, depth)?,
                // a record within the one that contains itself
                None => return Err(Failure::unfit(format!("record `{name}` contains itself in a place of its own"))),
            },
        }
        Ok(())
    }

    fn blocks(
        &self,
        brackets: &[u8; 2],
        input: &mut Input<'_>,
        out: &mut Vec<u8>,
        mut item: impl FnMut(&Self, &mut Input<'_>, &mut Vec<u8>) -> Decoded<()>,
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
                item(self, input, out)?;
            }
        }
        out.push(brackets[1]);
        Ok(())
    }
}

fn write_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    out.extend_from_slice(STANDARD.encode(bytes).as_bytes());
    out.push(b'"');
}
