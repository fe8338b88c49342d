//! `FileStreamSource`: each complete line of a file is a record.
//!
//! One task. Source partition `{"filename":"<file>"}`, offset `{"position":<n>}`: where the next line begins, counted in
//! bytes. (Kafka Connect counts characters and skips bytes; the two agree for ASCII.) Beside it stands `"file"`, which says
//! what file that was; an offset without it, such as Java's, holds for whatever file is there. A line without its end is held
//! back until the end is written, a `\r` until it is known what follows it. The standard input has no position.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::datatypes::{DataType, Field, FieldRef};
use serde_json::Value;
use volley_api::{
    Column, ConfigDef, ConfigMap, Connector, ConnectorContext, Error, KAFKA_VERSION, Plugin, PluginFactory, Polled,
    Records, Result, RowIndex, RunningConnector, SourceBatch, SourceContext, SourceOffset, SourcePartition, SourceTask,
    Support, single_task,
};

use super::config::{SourceConfig, source_config_def};
use super::file_input::{FileInput, StoredPosition};
use super::line_splitter::{LineSplitter, Lines};
use super::stdin_input;
use crate::clock::now_ms;

const PARTITION_MEMBER: &str = "filename";
const OFFSET_MEMBER: &str = "position";
const IDENTITY_MEMBER: &str = "file";

/// How long a file that has nothing new is left alone: briefly at first, then as long as Kafka Connect's source does.
const SHORTEST_IDLE: Duration = Duration::from_millis(50);
const LONGEST_IDLE: Duration = Duration::from_secs(1);

/// `FileStreamSource`.
pub(crate) fn source_plugin() -> Plugin {
    Plugin::new(
        "org.apache.kafka.connect.file.FileStreamSourceConnector",
        KAFKA_VERSION,
        "Reads a file, or the standard input, line by line, and goes on reading as it grows.",
        source_config_def(),
        PluginFactory::source(FileStreamSourceConnector, FileStreamSourceTask::start),
    )
    .alias("FileStreamSource")
}

#[derive(Debug)]
struct FileStreamSourceConnector;

impl Connector for FileStreamSourceConnector {
    fn config_def(&self) -> ConfigDef {
        source_config_def()
    }

    fn start(&self, _context: ConnectorContext, config: &ConfigMap) -> Result<Box<dyn RunningConnector>> {
        single_task(config)
    }

    fn alter_offsets(&self, config: &ConfigMap, offsets: &[(SourcePartition, Option<SourceOffset>)]) -> Result<bool> {
        if SourceConfig::parse(config)?.file.is_none() {
            return Err(Error::fatal(
                "Offsets cannot be modified if the 'file' configuration is unspecified. This is because stdin is used for \
                 input and offsets are not tracked.",
            ));
        }
        for (partition, offset) in offsets {
            // Offsets may be forgotten whatever they are: earlier configurations may have left them.
            let Some(offset) = offset else { continue };
            stored_position(offset)?;
            if !partition.contains_key(PARTITION_MEMBER) {
                return Err(Error::fatal(format!("Partition objects should contain the key '{PARTITION_MEMBER}'")));
            }
        }
        Ok(true)
    }

    fn exactly_once_support(&self, config: &ConfigMap) -> Result<Option<Support>> {
        let is_file = SourceConfig::parse(config)?.file.is_some();
        Ok(Some(if is_file { Support::Supported } else { Support::Unsupported }))
    }
}

/// The position in an offset; errors in Kafka Connect's words.
fn stored_position(offset: &SourceOffset) -> Result<u64> {
    let position = offset.get(OFFSET_MEMBER).ok_or_else(|| {
        Error::fatal(format!("Offset objects should either be null or contain the key '{OFFSET_MEMBER}'"))
    })?;
    let position = position.as_i64().ok_or_else(|| {
        Error::fatal(format!("The value for the '{OFFSET_MEMBER}' key in the offset is expected to be a Long value"))
    })?;
    u64::try_from(position).map_err(|_| {
        Error::fatal(format!("The value for the '{OFFSET_MEMBER}' key in the offset should be a non-negative value"))
    })
}

fn stored(offset: &SourceOffset) -> Result<StoredPosition> {
    let identity = offset.get(IDENTITY_MEMBER).and_then(Value::as_str).and_then(|text| text.parse().ok());
    Ok(StoredPosition { position: stored_position(offset)?, identity })
}

#[derive(Debug)]
struct FileStreamSourceTask {
    config: SourceConfig,
    /// `None`: the standard input.
    input: Option<FileInput>,
    splitter: LineSplitter,
    partition: SourcePartition,
    topic: Arc<str>,
    value_field: FieldRef,
    /// How long the file is left alone when it has nothing new.
    idle: Duration,
}

impl SourceTask for FileStreamSourceTask {
    fn poll(&mut self, max_wait: Duration) -> Result<Polled> {
        let lines = self.lines(max_wait)?;
        if !lines.is_empty() {
            self.idle = SHORTEST_IDLE;
            return Ok(Polled::Batches(vec![self.batch(lines)?]));
        }
        match self.input {
            // what comes ends the wait by itself
            None => Ok(Polled::Idle),
            Some(_) => {
                let idle = self.idle;
                self.idle = (idle * 2).min(LONGEST_IDLE);
                Ok(Polled::IdleFor(idle))
            }
        }
    }

    fn stop(&mut self) {
        if self.input.is_none() {
            stdin_input::give_back(self.splitter.held_back());
        }
    }
}

impl FileStreamSourceTask {
    /// Starts the task.
    fn start(context: SourceContext, config: &ConfigMap) -> Result<Self> {
        let config = SourceConfig::parse(config)?;
        let name = config.file.clone().map_or(Value::Null, Value::from);
        let partition = SourcePartition::from_iter([(PARTITION_MEMBER.to_owned(), name)]);
        let input = match &config.file {
            Some(file) => {
                let offset = context.offset(&partition)?;
                let stored = offset.map_or_else(|| Ok(StoredPosition::default()), |offset| stored(&offset))?;
                Some(FileInput::new(file.clone(), stored))
            }
            None => None,
        };
        Ok(Self {
            input,
            splitter: LineSplitter::new(config.max_line_bytes),
            partition,
            topic: config.topic.as_str().into(),
            value_field: Arc::new(Field::new("value", DataType::Utf8, false)),
            idle: SHORTEST_IDLE,
            config,
        })
    }

    /// The lines of a batch; only the first of the standard input is waited for.
    fn lines(&mut self, max_wait: Duration) -> Result<Lines> {
        let deadline = Instant::now().checked_add(max_wait).filter(|_| self.input.is_none());
        let mut lines = Lines::new();
        loop {
            match self.splitter.take_into(&mut lines, self.config.batch_size) {
                Ok(()) => {}
                Err(too_long) if lines.is_empty() => return Err(self.too_long(too_long.position)),
                Err(_) => return Ok(lines),
            }
            let wait = match deadline {
                Some(deadline) if lines.is_empty() => deadline.saturating_duration_since(Instant::now()),
                _ => Duration::ZERO,
            };
            if lines.is_full(self.config.batch_size) || (self.fill(wait)? == 0 && wait.is_zero()) {
                return Ok(lines);
            }
        }
    }

    fn fill(&mut self, wait: Duration) -> Result<usize> {
        let filled = match &mut self.input {
            Some(file) => file.fill(&mut self.splitter),
            None => stdin_input::fill(&mut self.splitter, wait),
        };
        filled
            .map_err(|error| Error::fatal(format!("could not read {}: {error}", self.input_name())).with_source(error))
    }

    fn batch(&self, lines: Lines) -> Result<SourceBatch> {
        let array = Arc::new(lines.into_array()?);
        let len = arrow::array::Array::len(&*array);
        let records = Records {
            topic: Arc::clone(&self.topic),
            kafka_partition: None,
            key: Column::nulls(len),
            value: Column::new(Arc::clone(&self.value_field), array),
            timestamps: vec![now_ms(); len].into(),
            headers: None,
            rows: RowIndex::all(len),
            origin: None,
        };
        Ok(SourceBatch { records, partition: self.partition.clone(), offset: self.offset() })
    }

    fn offset(&self) -> SourceOffset {
        let position = self.input.as_ref().map_or(Value::Null, |_| self.splitter.position().into());
        let identity = self.input.as_ref().and_then(|file| file.identity(&self.splitter));
        let identity = identity.map(|identity| (IDENTITY_MEMBER.to_owned(), Value::from(identity.to_string())));
        std::iter::once((OFFSET_MEMBER.to_owned(), position)).chain(identity).collect()
    }

    fn too_long(&self, position: u64) -> Error {
        Error::data(format!(
            "{} has a line of more than {} bytes at position {position}; raise `max.line.bytes` or split the line",
            self.input_name(),
            self.config.max_line_bytes
        ))
    }

    fn input_name(&self) -> String {
        self.config.file.as_ref().map_or_else(|| "the standard input".to_owned(), |file| format!("file `{file}`"))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use arrow::array::{Array, AsArray};
    use proptest::prelude::*;
    use volley_api::ErrorKind;
    use volley_api::testing::{config_map, json_object, resumes_from_every_offset, source_context};

    use super::*;

    fn started(file: &str, extra: &[(&str, &str)], stored: Option<u64>) -> FileStreamSourceTask {
        started_at(
            file,
            extra,
            stored.map(|position| SourceOffset::from_iter([("position".to_owned(), position.into())])),
        )
    }

    fn started_at(file: &str, extra: &[(&str, &str)], offset: Option<SourceOffset>) -> FileStreamSourceTask {
        let context = source_context(0, offset);
        FileStreamSourceTask::start(context, &config_map(&[&[("file", file), ("topic", "t")], extra].concat())).unwrap()
    }

    /// Polls until lines come, at most ten seconds.
    fn next_batch(task: &mut FileStreamSourceTask) -> SourceBatch {
        let deadline = Instant::now() + Duration::from_secs(10);
        while Instant::now() < deadline {
            if let Polled::Batches(mut batches) = task.poll(Duration::from_millis(20)).unwrap() {
                return batches.remove(0);
            }
        }
        panic!("no lines came");
    }

    fn texts(batch: &SourceBatch) -> Vec<String> {
        batch.records.value.array.as_string::<i32>().iter().map(|line| line.unwrap().to_owned()).collect()
    }

    fn is_idle(task: &mut FileStreamSourceTask) -> bool {
        matches!(task.poll(Duration::ZERO).unwrap(), Polled::IdleFor(_))
    }

    #[test]
    fn a_file_that_appears_and_grows_is_read_line_by_line() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("in.txt");
        let name = path.to_str().unwrap();
        let mut task = started(name, &[], None);
        assert!(is_idle(&mut task));
        std::fs::write(&path, "one\r\ntw").unwrap();
        let batch = next_batch(&mut task);
        assert_eq!(texts(&batch), ["one"]);
        assert_eq!(Value::from(batch.partition.clone()).to_string(), format!("{{\"filename\":\"{name}\"}}"));
        assert_eq!(batch.offset["position"], 5);
        assert!(batch.records.key.is_null(0) && batch.records.timestamps[0] > 1_700_000_000_000);
        assert!(is_idle(&mut task));
        let mut file = std::fs::File::options().append(true).open(&path).unwrap();
        file.write_all(b"o\nthree\n").unwrap();
        assert_eq!(texts(&next_batch(&mut task)), ["two", "three"]);
    }

    #[test]
    fn a_file_is_resumed_from_every_offset() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("in.txt");
        std::fs::write(&path, (0..50).map(|line| format!("line {line} \u{e9}\r\n")).collect::<String>()).unwrap();
        let config = config_map(&[("file", path.to_str().unwrap()), ("topic", "t"), ("batch.size", "7")]);
        resumes_from_every_offset(50, |context| FileStreamSourceTask::start(context, &config));
    }

    #[test]
    fn resumes_from_the_stored_position_in_bytes() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("in.txt");
        std::fs::write(&path, "é\nzwei\n").unwrap();
        let batch = next_batch(&mut started(path.to_str().unwrap(), &[], Some(3)));
        assert_eq!((texts(&batch), &batch.offset["position"]), (vec!["zwei".to_owned()], &Value::from(8)));
    }

    #[test]
    fn a_line_that_is_too_long_fails_the_task_and_names_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("in.txt");
        std::fs::write(&path, "x".repeat(1_000_000)).unwrap();
        let mut task = started(path.to_str().unwrap(), &[("max.line.bytes", "1000")], None);
        let error = task.poll(Duration::ZERO).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Data);
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
        std::fs::write(&path, format!("a line\n{}", "x".repeat(1_000_000))).unwrap();
        let mut task = started(path.to_str().unwrap(), &[("max.line.bytes", "1000")], None);
        assert_eq!(texts(&next_batch(&mut task)), ["a line"]);
        assert!(task.poll(Duration::ZERO).unwrap_err().to_string().contains("position 7"));
    }

    #[test]
    fn a_file_that_cannot_be_read_fails_the_task_and_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let name = directory.path().to_str().unwrap();
        let error = started(name, &[], None).poll(Duration::ZERO).unwrap_err();
        assert!(error.to_string().contains(name) && error.kind() == ErrorKind::Fatal, "{error:?}");
    }

    #[test]
    fn there_is_one_task_and_it_needs_a_topic() {
        let config_of_one = config_map(&[("topic", "t")]);
        let mut running = FileStreamSourceConnector.start(ConnectorContext::new("c"), &config_of_one).unwrap();
        assert_eq!(running.task_configs(5).unwrap(), [config_of_one]);
        assert!(SourceConfig::parse(&config_map(&[("file", "f")])).is_err());
        assert!(SourceConfig::parse(&config_map(&[("topic", "")])).is_err());
    }

    #[test]
    fn only_offsets_that_a_file_can_have_can_be_set() {
        let alter = |entries: &[(&str, &str)], partition: &str, offset: Option<&str>| {
            let config = config_map(&[&[("topic", "t")], entries].concat());
            FileStreamSourceConnector.alter_offsets(&config, &[(json_object(partition), offset.map(json_object))])
        };
        let file = &[("file", "f")][..];
        assert!(alter(file, r#"{"filename":"f"}"#, Some(r#"{"position":0}"#)).unwrap());
        assert!(alter(file, r#"{"other":"f"}"#, None).unwrap());
        for offset in [r#"{"position":-1}"#, r#"{"position":1.5}"#, r#"{"position":"1"}"#, r#"{"place":1}"#] {
            assert!(alter(file, r#"{"filename":"f"}"#, Some(offset)).is_err(), "{offset}");
        }
        assert!(alter(file, r#"{"file":"f"}"#, Some(r#"{"position":0}"#)).is_err());
        assert!(alter(&[], r#"{"filename":"f"}"#, Some(r#"{"position":0}"#)).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(30))]

        #[test]
        fn any_batch_size_and_restart_point_give_every_line_once(
            lines in prop::collection::vec("[a-zé ]{0,12}", 0..60),
            batch_size in 1usize..20,
            stop_after in 0usize..6,
        ) {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("in.txt");
            std::fs::write(&path, lines.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
            let size = batch_size.to_string();
            let (mut found, mut position) = (Vec::new(), None);
            for most in [stop_after, usize::MAX] {
                let mut task = started(path.to_str().unwrap(), &[("batch.size", &size)], position);
                for _ in 0..most.min(100) {
                    let Polled::Batches(batches) = task.poll(Duration::ZERO).unwrap() else { break };
                    prop_assert!(batches[0].records.len() <= batch_size && batches[0].records.value.array.len() <= batch_size);
                    found.extend(texts(&batches[0]));
                    position = batches[0].offset["position"].as_u64();
                }
            }
            prop_assert_eq!(found, lines);
        }
    }
}
