//! A batch as files of keys.

use std::collections::HashMap;

use arrow::array::{Array, BinaryArray};
use arrow::datatypes::DataType;
use bytes::Bytes;
use volley_api::{
    ConfigMap, Converter, Error, Records, RejectedRow, Result, Side, SinkBatch, TopicPartition, Unserialized,
    in_row_order,
};
use volley_converters::StringConverter;

use super::file_of_key::FileOfKey;
use super::keyed_template::KeyedTemplate;
use crate::chain::{is_legal_topic, offset_of, without_nulls};
use crate::config::NullValues;
use crate::format::{FileIdentity, Format, Made, Rows, new_file_id, rejected_row};

/// What stands for a key that is null.
const NO_KEY: &str = "null";

/// Makes files of keys.
#[derive(Debug)]
pub(super) struct KeyedBatch<'a> {
    /// Names them.
    pub(super) template: &'a KeyedTemplate,
    /// What they are made of.
    pub(super) format: &'a Format,
    /// What becomes of null values.
    pub(super) null_values: &'a NullValues,
    /// Connector name, for the footers.
    pub(super) connector: &'a str,
}

/// The last row of a file, and the offset of its first one.
#[derive(Clone, Copy, Debug)]
struct LastRow {
    row: usize,
    since: i64,
}

impl KeyedBatch<'_> {
    /// The files of the newest good record of each key: for each topic in offset order, and so more than one of a key.
    pub(super) fn files(&self, batch: &SinkBatch, rejected: &mut Vec<RejectedRow>) -> Result<Vec<FileOfKey>> {
        let mut files = Vec::new();
        for (index, rows) in in_row_order(&batch.records) {
            let records = batch.records[index].slice(rows.start, rows.len());
            if !is_legal_topic(&records.topic) {
                let message = format!("`{}` cannot be the name of a topic", records.topic);
                let refuse = |row| rejected_row(&records, row, Error::data(message.clone()));
                rejected.extend((0..records.len()).map(refuse));
                continue;
            }
            let (records, _) = without_nulls(records, self.null_values, rejected)?;
            if !records.is_empty() {
                self.add_files(records, batch.partition(), rejected, &mut files)?;
            }
        }
        Ok(files)
    }

    fn add_files(
        &self,
        records: Records,
        partition: &TopicPartition,
        rejected: &mut Vec<RejectedRow>,
        files: &mut Vec<FileOfKey>,
    ) -> Result<()> {
        // each file has the columns of its record: rows of other schemas have no part in it
        let mut maker = self.format.row_maker()?;
        let Made { rows, kept } = maker.rows(&self.format.output_fields().around(records.clone())?, rejected)?;
        let records = match &kept {
            None => records,
            Some(kept) => records.take(kept)?,
        };
        let mut newest: HashMap<String, LastRow> = HashMap::new();
        for (row, path) in self.paths(&records, partition, rejected)? {
            let offset = offset_of(&records, row);
            newest.entry(path).and_modify(|last| last.row = row).or_insert(LastRow { row, since: offset });
        }
        for (path, LastRow { row, since }) in newest {
            let offset = offset_of(&records, row);
            let contents = self.contents(&records, &rows.slice(row, 1), partition, offset)?;
            files.push(FileOfKey { path, contents, partition: partition.clone(), offset, since });
        }
        Ok(())
    }

    /// The rows whose keys can name a file, and its path.
    pub(super) fn paths(
        &self,
        records: &Records,
        partition: &TopicPartition,
        rejected: &mut Vec<RejectedRow>,
    ) -> Result<Vec<(usize, String)>> {
        let keys = key_texts(records)?;
        let mut paths = Vec::with_capacity(records.len());
        for row in 0..records.len() {
            let key = keys.as_ref().filter(|keys| keys.is_valid(row)).map_or(NO_KEY.as_bytes(), |keys| keys.value(row));
            let path = std::str::from_utf8(key).map_err(|error| error.to_string());
            match path.and_then(|key| self.template.path(key, &records.topic, partition)) {
                Ok(path) => paths.push((row, path)),
                Err(reason) => {
                    let message = format!("the key at offset {} names no file: {reason}", offset_of(records, row));
                    rejected.push(rejected_row(records, row, Error::data(message)));
                }
            }
        }
        Ok(paths)
    }

    fn contents(&self, records: &Records, row: &Rows, partition: &TopicPartition, offset: i64) -> Result<Bytes> {
        let identity = FileIdentity {
            file_id: new_file_id(),
            connector: self.connector.to_owned(),
            origin: partition.clone(),
            start: offset,
            end: offset + 1,
            rows: 1,
            start_timestamp: -1,
        };
        let mut writer = self.format.file_writer(&records.topic, row)?;
        writer.write(row.clone(), usize::MAX)?;
        // without what the writer has reserved: there may be very many
        Ok(Bytes::copy_from_slice(&writer.finish(&identity)?))
    }
}

/// The keys as text; `None`: there are none.
fn key_texts(records: &Records) -> Result<Option<BinaryArray>> {
    if records.key.array.data_type() == &DataType::Null {
        return Ok(None);
    }
    let mut converter = StringConverter::new(&ConfigMap::new(), Side::Key)?;
    Ok(Some(converter.from_connect(&Unserialized::new(&records.topic, &records.key))?.bytes))
}
