//! Records as objects of their parts.

use volley_api::{ConfigMap, Records, RejectedRow, Result, Side};
use volley_converters::JsonConverter;
use volley_java::sort_in_hash_order;

use super::header_texts::HeaderTexts;
use super::iso_instant::iso_instant;
use super::part_texts::PartTexts;
use crate::format::message_builder::MessageBuilder;
use crate::format::output_fields::OutputField;
use crate::format::rows::{Made, RowMaker};

/// Makes a text of JSON of each record: an object of its parts, or its only part alone. What is null is `null`.
pub(crate) struct RecordJsonRows {
    /// In the order in which they are written.
    parts: Vec<OutputField>,
    is_enveloped: bool,
    keys: JsonConverter,
    values: JsonConverter,
    headers: HeaderTexts,
}

/// The texts of what is written of records.
#[derive(Debug)]
struct Columns {
    keys: Option<PartTexts>,
    values: Option<PartTexts>,
}

impl RecordJsonRows {
    /// Writes these parts. `is_enveloped`: also a single one is the member of an object.
    pub(crate) fn new(parts: &[OutputField], is_enveloped: bool) -> Result<Self> {
        let mut parts = parts.to_vec();
        // the parts stand in a `HashMap` there
        sort_in_hash_order(&mut parts, |part| part.name());
        parts.dedup();
        let config = ConfigMap::from_iter([("schemas.enable".to_owned(), "false".to_owned())]);
        Ok(Self {
            is_enveloped: is_enveloped || parts.len() > 1,
            parts,
            keys: JsonConverter::new(&config, Side::Key)?,
            values: JsonConverter::new(&config, Side::Value)?,
            headers: HeaderTexts::new(&config)?,
        })
    }

    fn columns(&mut self, records: &Records) -> Result<Columns> {
        let topic = &records.topic;
        let keys = self.parts.contains(&OutputField::Key);
        let keys = keys.then(|| PartTexts::of(&records.key, topic, &mut self.keys)).transpose()?;
        let values = self.parts.contains(&OutputField::Value);
        let values = values.then(|| PartTexts::of(&records.value, topic, &mut self.values)).transpose()?;
        Ok(Columns { keys, values })
    }

    fn write(&mut self, records: &Records, columns: &Columns, row: usize, out: &mut Vec<u8>) -> Result<()> {
        for position in 0..self.parts.len() {
            let part = self.parts[position];
            if self.is_enveloped {
                out.push(if position == 0 { b'{' } else { b',' });
                out.extend_from_slice(format!("\"{}\":", part.name()).as_bytes());
            }
            match part {
                OutputField::Key => columns.keys.as_ref().map_or(Ok(()), |keys| keys.write(row, out))?,
                OutputField::Value => columns.values.as_ref().map_or(Ok(()), |values| values.write(row, out))?,
                OutputField::Offset => {
                    out.extend_from_slice(records.offset(row).unwrap_or(-1).to_string().as_bytes());
                }
                OutputField::Timestamp => {
                    let time = Some(records.timestamps[row]).filter(|time| *time >= 0);
                    let text = time.map_or("null".to_owned(), |time| format!("\"{}\"", iso_instant(time)));
                    out.extend_from_slice(text.as_bytes());
                }
                OutputField::Headers => {
                    let headers = records.headers.as_ref().map_or(&[][..], |headers| &headers[row]);
                    self.headers.write(&records.topic, headers, out)?;
                }
            }
        }
        if self.is_enveloped {
            out.push(b'}');
        }
        Ok(())
    }
}

impl RowMaker for RecordJsonRows {
    fn rows(&mut self, records: &Records, rejected: &mut Vec<RejectedRow>) -> Result<Made> {
        let columns = self.columns(records)?;
        let mut texts = MessageBuilder::with_capacity(records.len());
        for row in 0..records.len() {
            texts.push(records, rejected, |out| self.write(records, &columns, row, out));
        }
        texts.finish()
    }
}

impl std::fmt::Debug for RecordJsonRows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RecordJsonRows").field("parts", &self.parts).finish_non_exhaustive()
    }
}
