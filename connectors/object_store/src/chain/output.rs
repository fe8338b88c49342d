//! A file in the making whose bytes go to local disk as they become many.

use bytes::Bytes;
use tracing::warn;
use volley_api::Result;

use crate::format::{FileIdentity, FileSize, FileWriter, Rows};
use crate::store::{Contents, Spool, SpoolPlace, Storage};

/// Bytes that go to disk at once: what one file takes of the memory, and parts of an upload are of this size or larger.
const AT_ONCE: usize = 4 * 1024 * 1024;
/// The same where memory is short.
const AT_LEAST: usize = 256 * 1024;

/// A file in the making.
#[derive(Debug)]
pub(crate) struct Output {
    writer: Box<dyn FileWriter>,
    spool: Option<Spool>,
    /// Whether the disk has refused bytes. The file stays in memory then.
    is_refused: bool,
}

impl Output {
    /// A file that `writer` encodes.
    pub(crate) fn new(writer: Box<dyn FileWriter>) -> Self {
        Self { writer, spool: None, is_refused: false }
    }

    /// Whether it can hold these rows.
    pub(crate) fn takes(&self, rows: &Rows) -> bool {
        self.writer.takes(rows)
    }

    /// How large it is, with what is on disk, and what of it is in memory.
    pub(crate) fn size(&self) -> FileSize {
        let FileSize { encoded, memory } = self.writer.size();
        let on_disk = self.spool.as_ref().map_or(0, Spool::len);
        FileSize { encoded: encoded.saturating_add(usize::try_from(on_disk).unwrap_or(usize::MAX)), memory }
    }

    /// Adds rows that it takes. `storage`: where the file will be.
    pub(crate) fn write(&mut self, rows: Rows, size_limit: usize, storage: &dyn Storage) -> Result<()> {
        self.writer.write(rows, size_limit)?;
        if self.writer.output().is_some_and(|output| output.len() >= AT_ONCE)
            && let Some(place) = storage.spool_place()
        {
            // the vector stays for the bytes that come
            self.spool_output(&place);
        }
        Ok(())
    }

    /// Has as little in memory as it can without small pieces; the bytes of memory that this has freed.
    pub(crate) fn relieve(&mut self, place: &SpoolPlace) -> Result<usize> {
        let before = self.size().memory;
        if before < AT_LEAST || self.is_refused {
            return Ok(0);
        }
        self.writer.settle(AT_LEAST)?;
        if self.writer.output().is_some_and(|output| output.len() >= AT_LEAST) {
            self.spool_output(place);
        }
        if let Some(output) = self.writer.output().filter(|output| output.is_empty()) {
            *output = Vec::new();
        }
        Ok(before.saturating_sub(self.size().memory))
    }

    /// The complete file.
    pub(crate) fn finish(self, identity: &FileIdentity) -> Result<Contents> {
        let rest: Bytes = self.writer.finish(identity)?;
        Ok(Contents::new(self.spool, rest))
    }

    fn spool_output(&mut self, place: &SpoolPlace) {
        let Some(output) = self.writer.output().filter(|_| !self.is_refused) else { return };
        let spool = match &mut self.spool {
            Some(spool) => Ok(spool),
            none => place.begin().map(|spool| none.insert(spool)),
        };
        match spool.and_then(|spool| spool.append(output)) {
            Ok(()) => output.clear(),
            Err(error) => {
                warn!(?place, %error, "a file stays in memory, because its bytes cannot go to disk before it is complete");
                self.is_refused = true;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, StringArray};
    use proptest::prelude::*;
    use volley_api::TopicPartition;

    use super::*;
    use crate::format::{Format, new_file_id};
    use crate::test_records::{batch, read_rows, sink_config};

    /// Those whose files are the same whenever the same rows are written.
    const FORMATS: [&[(&str, &str)]; 9] = [
        &[("format.class", "Parquet")],
        &[("format.class", "Parquet"), ("parquet.sorting.columns", "id")],
        &[("format.class", "Json")],
        &[("format.class", "Json"), ("file.compression.type", "gzip")],
        &[("format.class", "Json"), ("file.compression.type", "zstd")],
        &[("format.class", "Bytes"), ("file.compression.type", "snappy")],
        &[("format.class", "Csv")],
        &[("format.class", "Arrow")],
        &[("format.class", "RecordJson")],
    ];

    fn identity() -> FileIdentity {
        FileIdentity {
            file_id: new_file_id(),
            connector: "c".into(),
            origin: TopicPartition::new("t", 0),
            start: 0,
            end: 1,
            rows: 1,
            start_timestamp: 0,
        }
    }

    fn rows(settings: &[(&str, &str)], numbers: &[i64], format: &Format) -> Rows {
        let texts = StringArray::from_iter_values(numbers.iter().map(|number| format!("text {number}")));
        let value: ArrayRef = match settings.iter().any(|(_, value)| *value == "Bytes") {
            true => Arc::new(texts),
            false => Arc::new(arrow::array::StructArray::from(vec![
                (
                    Arc::new(arrow::datatypes::Field::new("id", arrow::datatypes::DataType::Int64, false)),
                    Arc::new(Int64Array::from(numbers.to_vec())) as ArrayRef,
                ),
                (
                    Arc::new(arrow::datatypes::Field::new("text", arrow::datatypes::DataType::Utf8, false)),
                    Arc::new(texts) as ArrayRef,
                ),
            ])),
        };
        let batch = batch(&TopicPartition::new("t", 0), 0, value);
        let mut rejected = Vec::new();
        let made = format.row_maker().unwrap().rows(&batch.records[0], &mut rejected).unwrap();
        assert!(rejected.is_empty(), "{rejected:?}");
        made.rows
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_file_is_the_same_wherever_its_bytes_have_waited(
            settings in prop::sample::select(&FORMATS[..]),
            pieces in prop::collection::vec((prop::collection::vec(any::<i64>(), 1..3_000), any::<bool>()), 1..5),
        ) {
            let root = tempfile::tempdir().unwrap();
            let place = SpoolPlace::Unnamed(root.path().to_owned());
            let format = Format::new(sink_config(settings).format);
            let all: Vec<Rows> = pieces.iter().map(|(numbers, _)| rows(settings, numbers, &format)).collect();
            let new = || format.file_writer(&Arc::from("t"), &all[0]).unwrap();
            let (mut plain, mut output) = (new(), Output::new(new()));
            for (rows, (_, goes)) in all.iter().zip(&pieces) {
                plain.write(rows.clone(), usize::MAX).unwrap();
                output.writer.write(rows.clone(), usize::MAX).unwrap();
                if *goes {
                    output.spool_output(&place);
                }
                prop_assert_eq!(output.size().encoded, plain.size().encoded);
            }
            let identity = identity();
            let (contents, expected) = (output.finish(&identity).unwrap(), plain.finish(&identity).unwrap());
            prop_assert!(contents.bytes() == expected, "{:?}", settings);
        }
    }

    #[test]
    fn where_memory_is_short_the_rows_of_a_parquet_file_go_to_disk_and_it_goes_on() {
        let root = tempfile::tempdir().unwrap();
        let place = SpoolPlace::Unnamed(root.path().to_owned());
        let format = Format::new(sink_config(&[]).format);
        let numbers: Vec<i64> =
            (0..200_000_i64).map(|number| number.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as i64)).collect();
        let rows = rows(&[], &numbers, &format);
        let mut output = Output::new(format.file_writer(&Arc::from("t"), &rows).unwrap());
        output.writer.write(rows.clone(), usize::MAX).unwrap();
        let before = output.size();
        let freed = output.relieve(&place).unwrap();
        assert!(freed >= before.memory / 2, "{freed} of {before:?}");
        output.writer.write(rows, usize::MAX).unwrap();
        let contents = output.finish(&identity()).unwrap();
        assert!(contents.on_disk() > 0);
        assert_eq!(read_rows(contents.bytes()).num_rows(), 400_000);
    }

    #[test]
    fn a_disk_that_takes_nothing_leaves_the_file_in_memory() {
        let place = SpoolPlace::Unnamed("/nowhere/at/all".into());
        let format = Format::new(sink_config(&[("format.class", "Json")]).format);
        let rows = rows(&[], &(0..10).collect::<Vec<_>>(), &format);
        let mut output = Output::new(format.file_writer(&Arc::from("t"), &rows).unwrap());
        output.writer.write(rows, usize::MAX).unwrap();
        let before = output.size();
        output.spool_output(&place);
        assert_eq!(output.size(), before);
        let contents = output.finish(&identity()).unwrap();
        let lines = contents.bytes().iter().filter(|byte| **byte == b'\n').count();
        assert_eq!((contents.on_disk(), lines), (0, 10));
    }
}
