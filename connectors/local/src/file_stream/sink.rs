//! `FileStreamSink`: appends each record's value to a file as a line of text.
//!
//! Lines are written as soon as they are put, and offsets are committed once the file is synced. Delivery is at least once,
//! as in Kafka Connect: a crash between write and commit writes the lines again. Several tasks may append to one file.

use std::sync::Arc;

use volley_api::{
    ConfigDef, ConfigMap, Connector, Error, KAFKA_VERSION, Offsets, Plugin, PluginFactory, Records, RejectedRow,
    Result, SinkBatch, SinkContext, SinkProgress, SinkTask, SourceOffset, SourcePartition, Stage, TopicPartition,
    task_configs_for_all,
};
use volley_java::ColumnText;

use super::config::{SinkConfig, sink_config_def};
use super::line_output::LineOutput;
use super::output_target::{FileTarget, OutputTarget, StdoutTarget};

const CLASS: &str = "org.apache.kafka.connect.file.FileStreamSinkConnector";

/// `FileStreamSink`.
pub(crate) fn sink_plugin() -> Plugin {
    Plugin {
        class: CLASS,
        aliases: &["FileStreamSink"],
        version: KAFKA_VERSION,
        documentation: "Appends each value to a file, or to the standard output, as a line of text.",
        config_def: sink_config_def(),
        factory: PluginFactory::Sink {
            connector: Arc::new(|| Box::new(FileStreamSinkConnector)),
            task: Arc::new(|| Box::new(FileStreamSinkTask::default())),
        },
    }
}

#[derive(Debug)]
struct FileStreamSinkConnector;

impl Connector for FileStreamSinkConnector {
    fn config_def(&self) -> ConfigDef {
        sink_config_def()
    }

    fn task_configs(&mut self, config: &ConfigMap, max_tasks: usize) -> Result<Vec<ConfigMap>> {
        Ok(task_configs_for_all(config, max_tasks))
    }

    /// Offsets are Kafka's alone; nothing outside depends on them.
    fn alter_offsets(&mut self, _: &ConfigMap, _: &[(SourcePartition, Option<SourceOffset>)]) -> Result<bool> {
        Ok(true)
    }
}

/// `None` until started.
#[derive(Debug, Default)]
struct FileStreamSinkTask(Option<LineOutput>);

impl FileStreamSinkTask {
    fn output(&mut self) -> Result<&mut LineOutput> {
        self.0.as_mut().ok_or_else(|| Error::fatal("the task is used before its start"))
    }
}

impl SinkTask for FileStreamSinkTask {
    fn start(&mut self, _context: SinkContext, config: &ConfigMap) -> Result<()> {
        let config = SinkConfig::parse(config)?;
        let (target, name): (Box<dyn OutputTarget>, _) = match config.file {
            None => (Box::new(StdoutTarget), "the standard output".to_owned()),
            Some(path) => match FileTarget::open(&path) {
                Ok(file) => (Box::new(file), format!("file `{path}`")),
                Err(error) => {
                    let message = format!("Couldn't find or create file '{path}' for FileStreamSinkTask");
                    return Err(Error::fatal(message).with_source(error));
                }
            },
        };
        self.0 = Some(LineOutput::new(target, name, config.retry_timeout));
        Ok(())
    }

    fn put(&mut self, batch: &SinkBatch) -> Result<Vec<RejectedRow>> {
        let output = self.output()?;
        // Where an earlier batch is not written yet, this one has to wait: memory holds one of them.
        output.write_out()?;
        let mut rejected = Vec::new();
        output.append(&batch.origin.partition, |lines| {
            for records in &batch.records {
                match ColumnText::of(&records.value) {
                    Ok(texts) => write_lines(&texts, records.len(), lines),
                    Err(error) => rejected.extend(rejected_rows(records, &error)),
                }
            }
        })?;
        Ok(rejected)
    }

    fn pre_commit(&mut self, current: &Offsets) -> Result<Offsets> {
        self.output()?.flush()?;
        Ok(current.clone())
    }

    fn flush(&mut self, _partitions: &[TopicPartition]) -> Result<()> {
        self.output()?.flush()
    }

    fn tick(&mut self) -> Result<()> {
        self.output()?.write_out()
    }

    fn close(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        self.output()?.forget(|partition| partitions.contains(partition));
        Ok(())
    }

    fn stop(&mut self) {
        // Uncommitted lines come again; half a batch of them is not left behind where that can be avoided.
        if let Some(mut output) = self.0.take() {
            output.forget(|_| true);
        }
    }

    fn buffered_bytes(&self) -> usize {
        self.0.as_ref().map_or(0, LineOutput::unwritten)
    }

    fn progress(&self) -> SinkProgress {
        let written_bytes = self.0.as_ref().map_or(0, LineOutput::written);
        SinkProgress { open_files: u64::from(self.0.is_some()), complete_files: 0, written_bytes }
    }
}

/// Row by row, since each is a text of its own.
fn write_lines(texts: &ColumnText, rows: usize, lines: &mut Vec<u8>) {
    for row in 0..rows {
        texts.write(row, lines);
        lines.push(b'\n');
    }
}

fn rejected_rows(records: &Records, error: &Error) -> Vec<RejectedRow> {
    let reject = |row| RejectedRow {
        row,
        stage: Stage::TaskPut,
        class: CLASS.to_owned(),
        error: Error::data(format!("the value cannot be written as text: {error}")),
    };
    records.rows.iter().map(reject).collect()
}

#[cfg(test)]
mod tests {
    use std::fs::read_to_string;

    use arrow::array::StringArray;
    use arrow::datatypes::{DataType, Field};
    use volley_api::{Column, OffsetRange, Origin, RowIndex, TimestampType};

    use super::*;

    fn batch(first: i64, lines: &[Option<&str>]) -> SinkBatch {
        let len = lines.len();
        let origin = Arc::new(Origin {
            partition: TopicPartition::new("t", 0),
            range: OffsetRange { first, end: first + len as i64 },
            offsets: (first..first + len as i64).collect(),
            timestamp_type: TimestampType::CreateTime,
            timestamps: vec![-1; len].into(),
        });
        let field = Arc::new(Field::new("value", DataType::Utf8, true));
        let records = Records {
            topic: "t".into(),
            kafka_partition: Some(0),
            key: Column::nulls(len),
            value: Column::new(field, Arc::new(StringArray::from(lines.to_vec()))),
            timestamps: vec![-1; len].into(),
            headers: None,
            rows: RowIndex::all(len),
            origin: Some(Arc::clone(&origin)),
        };
        SinkBatch { origin, records: vec![records] }
    }

    fn started(file: &str) -> Result<FileStreamSinkTask> {
        let mut task = FileStreamSinkTask::default();
        let config = ConfigMap::from_iter([("file".to_owned(), file.to_owned())]);
        task.start(SinkContext::new("c", 0), &config)?;
        Ok(task)
    }

    fn offsets(end: i64) -> Offsets {
        Offsets::from([(TopicPartition::new("t", 0), end)])
    }

    #[test]
    fn lines_are_appended_and_visible_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("out.txt");
        std::fs::write(&path, "there\n").unwrap();
        let mut task = started(path.to_str().unwrap()).unwrap();
        assert!(task.put(&batch(0, &[Some("one"), None])).unwrap().is_empty());
        assert_eq!(read_to_string(&path).unwrap(), "there\none\nnull\n");
        assert_eq!(task.pre_commit(&offsets(2)).unwrap(), offsets(2));
        assert_eq!(task.progress().written_bytes, 9);
        task.stop();
    }

    #[test]
    fn a_batch_whose_rows_were_all_filtered_counts_as_delivered() {
        let directory = tempfile::tempdir().unwrap();
        let mut task = started(directory.path().join("out.txt").to_str().unwrap()).unwrap();
        task.put(&SinkBatch { records: Vec::new(), ..batch(0, &[None]) }).unwrap();
        assert_eq!(task.pre_commit(&offsets(1)).unwrap(), offsets(1));
    }

    #[test]
    fn half_a_line_of_a_crash_does_not_run_into_the_next_line() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("out.txt");
        std::fs::write(&path, "whole\nhal").unwrap();
        started(path.to_str().unwrap()).unwrap().put(&batch(0, &[Some("next")])).unwrap();
        assert_eq!(read_to_string(&path).unwrap(), "whole\nhal\nnext\n");
    }

    #[test]
    fn nothing_is_committed_on_a_full_disk() {
        let mut task = started("/dev/full").unwrap();
        task.put(&batch(0, &[Some("one")])).unwrap();
        assert!(task.put(&batch(1, &[Some("two")])).unwrap_err().is_retriable());
        assert!(task.tick().unwrap_err().is_retriable());
        let error = task.pre_commit(&offsets(1)).unwrap_err();
        assert!(error.is_retriable() && error.to_string().contains("/dev/full"), "{error}");
        assert_eq!(task.buffered_bytes(), 4);
        task.stop();
    }

    #[test]
    fn half_a_batch_in_a_real_file_is_taken_back() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("out.txt");
        let name = path.to_str().unwrap();
        let mut target = FileTarget::open(name).unwrap();
        target.write(b"one\ntw").unwrap();
        assert!(target.take_back(2).unwrap());
        target.write(b"two\n").unwrap();
        std::fs::File::options()
            .append(true)
            .open(&path)
            .and_then(|mut file| std::io::Write::write_all(&mut file, b"x\n"))
            .unwrap();
        assert!(!target.take_back(4).unwrap());
        assert_eq!(read_to_string(&path).unwrap(), "one\ntwo\nx\n");
    }

    #[test]
    fn a_file_that_cannot_be_created_is_named() {
        let error = started("/nonexistent/directory/out.txt").unwrap_err();
        assert!(error.to_string().contains("/nonexistent/directory/out.txt"), "{error}");
    }
}
