//! The records of a run, on local disk, until all are there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Schema, SchemaRef};
use volley_api::schema::is_mixed;
use volley_api::{Records, Result, TopicPartition, mixed_as_text};

use super::query_text::QueryText;
use super::spill_file::{Segment, SpillFile, SpillReader};
use super::table_columns::common_schema;
use crate::records_table::{MetaColumn, NO_FIELD, RecordsTable};

/// Batches by topic and the partition that they were consumed from.
#[derive(Debug)]
pub(super) struct StagedRecords {
    file: SpillFile,
    /// The metadata that the query names.
    meta_columns: Vec<MetaColumn>,
    /// The fields that it may name; `None`: all.
    fields: Option<BTreeSet<String>>,
    /// Fields that were not kept.
    left_out: BTreeSet<String>,
    topics: BTreeMap<Arc<str>, Vec<(TopicPartition, SchemaRef, Segment)>>,
}

/// A topic's records, as they are now.
#[derive(Clone, Debug)]
pub(super) struct StagedTable {
    /// All columns.
    pub(super) schema: SchemaRef,
    /// Where the rows are, partition after partition, and the columns that they have.
    pub(super) segments: Vec<(SchemaRef, Segment)>,
    /// The file.
    pub(super) reader: SpillReader,
}

impl StagedRecords {
    /// Records of which a query is made, in a file in `directory`.
    pub(super) fn new(directory: Option<&Path>, query: &QueryText) -> Result<Self> {
        let (meta_columns, fields) = (query.meta_columns.clone(), query.words.clone());
        Ok(Self {
            file: SpillFile::create(directory)?,
            meta_columns,
            fields,
            left_out: BTreeSet::new(),
            topics: BTreeMap::new(),
        })
    }

    /// Adds records that were consumed.
    pub(super) fn add(&mut self, records: &Records) -> Result<()> {
        let Some(origin) = &records.origin else { return Ok(()) };
        if records.is_empty() {
            return Ok(());
        }
        let batch = self.columns(records)?;
        let segment = self.file.append(&batch)?;
        let topic = self.topics.entry(Arc::clone(&records.topic)).or_default();
        // one schema for all batches of it
        let schema = match topic.last() {
            Some((_, schema, _)) if *schema == batch.schema() => Arc::clone(schema),
            _ => batch.schema(),
        };
        topic.push((origin.partition.clone(), schema, segment));
        Ok(())
    }

    /// Forgets what was consumed from a partition.
    pub(super) fn forget(&mut self, partition: &TopicPartition) {
        for batches in self.topics.values_mut() {
            batches.retain(|(origin, ..)| origin != partition);
        }
    }

    /// The tables: one for each topic with records.
    pub(super) fn tables(&self) -> BTreeMap<Arc<str>, StagedTable> {
        let tables = self.topics.iter().filter(|(_, batches)| !batches.is_empty()).map(|(topic, batches)| {
            let mut batches: Vec<_> = batches.iter().collect();
            // of a partition in the order in which they came
            batches.sort_by(|(one, ..), (other, ..)| one.cmp(other));
            let mut schema: Option<SchemaRef> = None;
            let mut last: Option<&SchemaRef> = None;
            for (_, own, _) in &batches {
                if last.is_none_or(|last| !Arc::ptr_eq(last, own)) {
                    schema = Some(schema.map_or_else(|| Arc::clone(own), |known| common_schema(&known, own)));
                }
                last = Some(own);
            }
            let schema = schema.unwrap_or_else(|| Arc::new(Schema::empty()));
            let segments = batches.iter().map(|(_, schema, segment)| (Arc::clone(schema), *segment)).collect();
            (Arc::clone(topic), StagedTable { schema, segments, reader: self.file.reader() })
        });
        tables.collect()
    }

    /// The names of fields that were not kept.
    pub(super) fn left_out(&self) -> &BTreeSet<String> {
        &self.left_out
    }

    /// Reads the file.
    pub(super) fn reader(&self) -> SpillReader {
        self.file.reader()
    }

    fn columns(&mut self, records: &Records) -> Result<RecordBatch> {
        let table = RecordsTable::new(&records.key.field, &records.value.field);
        let visible = table.visible_schema();
        let (fields, meta_columns) = (&self.fields, &self.meta_columns);
        let is_wanted = |name: &str| {
            let is_named = || fields.as_ref().is_none_or(|fields| fields.contains(name));
            match MetaColumn::is_named(name) {
                true => meta_columns.iter().any(|column| column.name() == name),
                false => name != NO_FIELD && is_named(),
            }
        };
        let wanted: Vec<usize> =
            (0..visible.fields().len()).filter(|place| is_wanted(visible.field(*place).name())).collect();
        for field in visible.fields().iter().filter(|field| !is_wanted(field.name())) {
            if !MetaColumn::is_named(field.name()) && !self.left_out.contains(field.name()) {
                self.left_out.insert(field.name().clone());
            }
        }
        let batch = table.batch(records, &wanted)?;
        if batch.schema().fields().iter().all(|field| !is_mixed(field)) {
            return Ok(batch);
        }
        // of a column whose values have types of their own, the texts
        let (mut fields, mut columns) = (Vec::new(), Vec::new());
        for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
            match column.as_string_opt::<i32>().filter(|_| is_mixed(field)) {
                Some(texts) => {
                    fields.push(field.as_ref().clone().with_metadata(Default::default()));
                    columns.push(Arc::new(mixed_as_text(texts)) as ArrayRef);
                }
                None => {
                    fields.push(field.as_ref().clone());
                    columns.push(Arc::clone(column));
                }
            }
        }
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        Ok(RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)?)
    }
}
