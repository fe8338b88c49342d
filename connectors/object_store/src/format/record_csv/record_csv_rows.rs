//! Records as lines of their parts.

use volley_api::{Error, Records, RejectedRow, Result};

use super::header_texts::{write_base64, write_headers};
use super::part_bytes::PartBytes;
use crate::format::message_builder::MessageBuilder;
use crate::format::output_fields::OutputField;
use crate::format::rows::{Made, RowMaker, rejected_row};

const BYTES_ADVICE: &str = "set `value.converter` to org.apache.kafka.connect.converters.ByteArrayConverter, or write \
                            another format";
const KEY_ADVICE: &str = "set `key.converter` to org.apache.kafka.connect.converters.ByteArrayConverter or \
                          org.apache.kafka.connect.storage.StringConverter, or write another format";

/// How values are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ValueEncoding {
    /// As they are.
    None,
    /// As Base64.
    Base64,
}

/// Makes a line of each record: its parts in the order given, with commas between them and without quotes. What is null is
/// empty.
#[derive(Debug)]
pub(crate) struct RecordCsvRows {
    parts: Vec<OutputField>,
    encoding: ValueEncoding,
}

/// The bytes of what is written of records.
#[derive(Debug)]
struct Columns {
    keys: Option<PartBytes>,
    values: Option<PartBytes>,
}

impl RecordCsvRows {
    /// Writes these parts.
    pub(crate) fn new(parts: &[OutputField], encoding: ValueEncoding) -> Self {
        Self { parts: parts.to_vec(), encoding }
    }

    fn columns(&self, records: &Records) -> Result<Columns> {
        let wants = |part| self.parts.contains(&part);
        let keys = wants(OutputField::Key).then(|| PartBytes::of(&records.key, true, "key", KEY_ADVICE));
        let values = wants(OutputField::Value).then(|| PartBytes::of(&records.value, false, "value", BYTES_ADVICE));
        Ok(Columns { keys: keys.transpose()?, values: values.transpose()? })
    }

    fn write(&self, records: &Records, columns: &Columns, row: usize, out: &mut Vec<u8>) -> Result<()> {
        for (position, part) in self.parts.iter().enumerate() {
            if position > 0 {
                out.push(b',');
            }
            match part {
                OutputField::Key => {
                    let key = columns.keys.as_ref().and_then(|keys| keys.get(row));
                    key.into_iter().for_each(|key| write_base64(key, out));
                }
                OutputField::Value => {
                    let value = columns.values.as_ref().and_then(|values| values.get(row)).unwrap_or_default();
                    match self.encoding {
                        ValueEncoding::None => out.extend_from_slice(value),
                        ValueEncoding::Base64 => write_base64(value, out),
                    }
                }
                OutputField::Offset => {
                    out.extend_from_slice(records.offset(row).unwrap_or(-1).to_string().as_bytes());
                }
                OutputField::Timestamp => {
                    let timestamp = Some(records.timestamps[row]).filter(|timestamp| *timestamp >= 0);
                    timestamp.into_iter().for_each(|time| out.extend_from_slice(time.to_string().as_bytes()));
                }
                OutputField::Headers => {
                    let headers = records.headers.as_ref().map_or(&[][..], |headers| &headers[row]);
                    write_headers(headers, out)?;
                }
            }
        }
        Ok(())
    }
}

impl RowMaker for RecordCsvRows {
    fn rows(&mut self, records: &Records, rejected: &mut Vec<RejectedRow>) -> Result<Made> {
        let columns = match self.columns(records) {
            Ok(columns) => columns,
            // the type causes the error, so every row has it
            Err(error) => {
                let message = error.to_string();
                let row_of = |row| rejected_row(records, row, Error::data(message.clone()));
                rejected.extend((0..records.len()).map(row_of));
                return Ok(Made::nothing());
            }
        };
        let mut lines = MessageBuilder::with_capacity(records.len());
        for row in 0..records.len() {
            lines.push(records, rejected, |out| self.write(records, &columns, row, out));
        }
        lines.finish()
    }
}
