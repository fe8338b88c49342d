//! `FileStreamSink`: appends each record's value to a file as a line of text.
//!
//! Lines are written as soon as they are put, and offsets are committed once the file is synced. Delivery is at least once,
//! as in Kafka Connect: a crash between write and commit writes the lines again. Several tasks may append to one file.

use std::ops::Range;

use volley_api::metrics::{OPEN_FILES, WRITTEN_BYTES};
use volley_api::{
    ConfigDef, ConfigMap, Connector, ConnectorContext, Error, KAFKA_VERSION, Offsets, Plugin, PluginFactory, Records,
    RejectedRow, Result, RunningConnector, SinkBatch, SinkContext, SinkTask, SourceOffset, SourcePartition, Stage,
    TopicPartition, identical_tasks, in_row_order,
};
use volley_java::ColumnText;

use super::config::{SinkConfig, sink_config_def};
use super::line_output::LineOutput;
use super::output_target::{FileTarget, OutputTarget, StdoutTarget};

const CLASS: &str = "org.apache.kafka.connect.file.FileStreamSinkConnector";

/// `FileStreamSink`.
pub(crate) fn sink_plugin() -> Plugin {
    Plugin::new(
        CLASS,
        KAFKA_VERSION,
        "Appends each value to a file, or to the standard output, as a line of text.",
        sink_config_def(),
        PluginFactory::sink(FileStreamSinkConnector, FileStreamSinkTask::start),
    )
    .alias("FileStreamSink")
}

#[derive(Debug)]
struct FileStreamSinkConnector;

impl Connector for FileStreamSinkConnector {
    fn config_def(&self) -> ConfigDef {
        sink_config_def()
    }

    fn start(&self, _context: ConnectorContext, config: &ConfigMap) -> Result<Box<dyn RunningConnector>> {
        identical_tasks(config)
    }

    /// Offsets are Kafka's alone; nothing outside depends on them.
    fn alter_offsets(&self, _: &ConfigMap, _: &[(SourcePartition, Option<SourceOffset>)]) -> Result<bool> {
        Ok(true)
    }
}

#[derive(Debug)]
struct FileStreamSinkTask {
    output: LineOutput,
}

impl FileStreamSinkTask {
    /// Opens the file.
    fn start(context: SinkContext, config: &ConfigMap) -> Result<Self> {
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
        context.metrics().gauge(OPEN_FILES).set(1);
        let written = context.metrics().counter(WRITTEN_BYTES);
        Ok(Self { output: LineOutput::new(target, name, config.retry_timeout, written) })
    }
}

impl SinkTask for FileStreamSinkTask {
    fn put(&mut self, batch: &SinkBatch) -> Result<Vec<RejectedRow>> {
        // Where an earlier batch is not written yet, this one has to wait: memory holds one of them.
        self.output.write_out()?;
        let mut rejected = Vec::new();
        self.output.append(batch.partition(), |lines| {
            let texts: Vec<_> = batch.records.iter().map(|records| ColumnText::of(&records.value)).collect();
            for (index, rows) in in_row_order(&batch.records) {
                match &texts[index] {
                    Ok(texts) => write_lines(texts, rows, lines),
                    Err(error) => rejected.extend(rejected_rows(&batch.records[index], rows, error)),
                }
            }
        })?;
        Ok(rejected)
    }

    fn pre_commit(&mut self, current: &Offsets) -> Result<Offsets> {
        self.output.flush()?;
        Ok(current.clone())
    }

    fn flush(&mut self, _partitions: &[TopicPartition]) -> Result<()> {
        self.output.flush()
    }

    fn tick(&mut self) -> Result<()> {
        self.output.write_out()
    }

    fn close(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        self.output.forget(|partition| partitions.contains(partition));
        Ok(())
    }

    fn stop(&mut self) {
        // Uncommitted lines come again; half a batch of them is not left behind where that can be avoided.
        self.output.forget(|_| true);
    }

    fn buffered_bytes(&self) -> usize {
        self.output.unwritten()
    }
}

/// Row by row, since each is a text of its own.
fn write_lines(texts: &ColumnText, rows: Range<usize>, lines: &mut Vec<u8>) {
    for row in rows {
        texts.write(row, lines);
        lines.push(b'\n');
    }
}

fn rejected_rows(records: &Records, rows: Range<usize>, error: &Error) -> Vec<RejectedRow> {
    let reject = |row| RejectedRow {
        row: records.rows.input_row(row),
        stage: Stage::TaskPut,
        class: CLASS.to_owned(),
        error: Error::data(format!("the value cannot be written as text: {error}")),
    };
    rows.map(reject).collect()
}

#[cfg(test)]
mod tests {
    use std::fs::read_to_string;

    use arrow::array::Int64Array;
    use volley_api::testing::{
        SinkUnderTest, column, commits_only_what_is_durable, config_map, consumed, sink_batch, texts,
    };

    use super::*;

    fn batch(first: i64, lines: &[Option<&str>]) -> SinkBatch {
        sink_batch(vec![consumed("t", 0, first, texts(lines.iter().copied()))])
    }

    fn started(file: &str) -> Result<FileStreamSinkTask> {
        FileStreamSinkTask::start(SinkContext::new("c", 0), &config_map(&[("file", file)]))
    }

    /// A file in a directory of its own.
    struct Lines(tempfile::TempDir);

    impl SinkUnderTest for Lines {
        fn start(&mut self, context: SinkContext) -> Result<Box<dyn SinkTask>> {
            let config = config_map(&[("file", self.0.path().join("out.txt").to_str().unwrap())]);
            Ok(Box::new(FileStreamSinkTask::start(context, &config)?))
        }

        fn delivered(&mut self) -> Vec<String> {
            read_to_string(self.0.path().join("out.txt")).unwrap().lines().map(str::to_owned).collect()
        }
    }

    #[test]
    fn lines_are_committed_only_once_they_are_in_the_file() {
        commits_only_what_is_durable(|| Lines(tempfile::tempdir().unwrap()));
    }

    #[test]
    fn lines_of_two_schemas_stand_in_the_order_of_their_records() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("out.txt");
        let all = consumed("t", 0, 0, texts(["a", "?", "c", "?"]));
        let numbers = column(Int64Array::from(vec![0, 1, 2, 3]));
        let words = all.take(&vec![0, 2].into()).unwrap();
        let numbers = Records { value: numbers, ..all }.take(&vec![1, 3].into()).unwrap();
        started(path.to_str().unwrap()).unwrap().put(&sink_batch(vec![words, numbers])).unwrap();
        assert_eq!(read_to_string(&path).unwrap(), "a\n1\nc\n3\n");
    }

    fn offsets(end: i64) -> Offsets {
        Offsets::from([(TopicPartition::new("t", 0), end)])
    }

    #[test]
    fn lines_are_appended_and_visible_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("out.txt");
        std::fs::write(&path, "there\n").unwrap();
        let context = SinkContext::new("c", 0);
        let config = config_map(&[("file", path.to_str().unwrap())]);
        let mut task = FileStreamSinkTask::start(context.clone(), &config).unwrap();
        assert!(task.put(&batch(0, &[Some("one"), None])).unwrap().is_empty());
        assert_eq!(read_to_string(&path).unwrap(), "there\none\nnull\n");
        assert_eq!(task.pre_commit(&offsets(2)).unwrap(), offsets(2));
        assert_eq!(context.metrics().value(WRITTEN_BYTES), Some(9));
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
