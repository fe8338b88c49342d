//! The keys of a query over all records of a run.

use std::path::PathBuf;
use std::sync::Arc;

use volley_api::{
    Config, ConfigIssue, ConfigKey, ConfigMap, ConfigType, Error, Importance, QueryEngine, QuerySettings, Result,
    Validator,
};

use crate::chain::{FileNaming, is_legal_topic};
use crate::config::SinkConfig;
use crate::success::SuccessFiles;

/// The query.
pub(crate) const QUERY: &str = "query";
const NAME: &str = "query.name";
const MEMORY: &str = "query.memory.bytes";
const DIRECTORY: &str = "query.directory";
/// Keys of the worker that a query depends on.
const MODE: &str = "volley.mode";
const TOPICS: &str = "topics";
/// The table that a single topic is, too.
const RECORDS: &str = "records";

/// A query, as configured.
#[derive(Clone, Debug)]
pub(crate) struct QueryConfig {
    /// The text.
    pub(crate) text: String,
    /// Name of the result, as of a topic.
    pub(crate) name: Arc<str>,
    /// What it may use.
    pub(crate) settings: QuerySettings,
}

impl QueryConfig {
    /// The query of `connector`; `None` if it has none.
    ///
    /// # Errors
    /// `Config` if the result has no name that can be one of a directory.
    pub(crate) fn from_config(config: &Config, connector: &str) -> Result<Option<Self>> {
        let Some(text) = config.string(QUERY).filter(|text| !text.trim().is_empty()) else { return Ok(None) };
        let name = config.string(NAME).unwrap_or(connector);
        if !is_legal_topic(name) {
            return Err(Error::config(format!(
                "`{name}` cannot be the name of the result: letters, digits, `.`, `_` and `-` are possible; set `{NAME}`"
            )));
        }
        let memory = config.long(MEMORY).and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(usize::MAX);
        let directory = config.string(DIRECTORY).filter(|path| !path.is_empty()).map(PathBuf::from);
        let settings = QuerySettings { memory_bytes: memory, directory };
        Ok(Some(Self { text: text.to_owned(), name: name.into(), settings }))
    }
}

/// What is wrong with the query of a configuration, whose keys have been checked one by one.
pub(crate) fn query_issues(engine: &dyn QueryEngine, config: &ConfigMap, parsed: &Config) -> Vec<ConfigIssue> {
    let connector = config.get("name").map_or("", String::as_str);
    let issue = |key: &str, message: String| ConfigIssue::new(key, message);
    let query = match QueryConfig::from_config(parsed, connector) {
        Ok(Some(query)) => query,
        Ok(None) => return Vec::new(),
        Err(error) => return vec![issue(NAME, error.to_string())],
    };
    let mut issues = Vec::new();
    if config.get(MODE).is_none_or(|mode| !mode.trim().eq_ignore_ascii_case("bounded")) {
        let message = "`query` is over all records, so that there must be an end of them: set `volley.mode=bounded`. One that works \
                       record by record is a transformation: `transforms.sql.type=Sql`";
        issues.push(issue(QUERY, message.to_owned()));
    }
    match engine.tables(&query.text) {
        Err(error) => issues.push(issue(QUERY, format!("`{QUERY}`, {error}"))),
        Ok(tables) => issues.extend(unknown_table(&tables, config).map(|message| issue(QUERY, message))),
    }
    if let Ok(sink) = SinkConfig::parse(config) {
        issues.extend(sink_issues(&sink));
    }
    issues
}

fn unknown_table(tables: &[String], config: &ConfigMap) -> Option<String> {
    let topics: Vec<&str> = config.get(TOPICS)?.split(',').map(str::trim).filter(|topic| !topic.is_empty()).collect();
    let is_known = |table: &str| topics.contains(&table) || (table == RECORDS && topics.len() == 1);
    let unknown = tables.iter().find(|table| !is_known(table))?;
    Some(format!(
        "`{QUERY}` reads the table `{unknown}`, which is none of the topics: `{TOPICS}` has {}",
        topics.join(", ")
    ))
}

fn sink_issues(sink: &SinkConfig) -> Vec<ConfigIssue> {
    let mut issues = Vec::new();
    if sink.keyed.is_some() || !matches!(sink.naming, FileNaming::Directories { .. }) {
        issues.push(ConfigIssue::new("file.name.template", "`file.name.template` is not possible with a `query`"));
    }
    if !sink.format.output_fields.is_value_alone() {
        let message =
            "`format.output.fields`: with a `query` there is the value only: select what is needed, such as _key";
        issues.push(ConfigIssue::new("format.output.fields", message));
    }
    if sink.format.kind.is_of_records() {
        let message = "`format.class`: the rows of a query's result are no records: write JsonLines or Csv";
        issues.push(ConfigIssue::new("format.class", message));
    }
    if !sink.siblings.is_empty() {
        let message = "with a `query` there are no keys and headers to be stored: select what is needed, such as _key";
        issues.push(ConfigIssue::new("store.kafka.keys", message));
    }
    if sink.success != SuccessFiles::None {
        let message = "the result of a `query` has its `_SUCCESS` in any case: leave `success.file` out";
        issues.push(ConfigIssue::new("success.file", message));
    }
    if sink.partitioner.is_by_time_of_record() {
        let message = "`timestamp.extractor`: the rows of a query's result have no timestamp: set RecordField, and `timestamp.field`";
        issues.push(ConfigIssue::new("timestamp.extractor", message));
    }
    issues
}

/// The keys.
pub(crate) fn query_keys() -> Vec<ConfigKey> {
    use ConfigType::{Long, String};
    use Importance::{Low, Medium};
    vec![
        ConfigKey::optional(
            QUERY,
            String,
            Medium,
            "A SELECT over all records of a bounded run, whose result is written in place of the records: groups, joins, \
             sorts. Each topic is a table; one alone is the table `records`, too. Wants `volley.mode=bounded`, and has one \
             task.",
        ),
        ConfigKey::optional(
            NAME,
            String,
            Low,
            "Name of the query's result, which stands in paths where that of a topic would; the connector's if not given.",
        ),
        ConfigKey::with_default(
            MEMORY,
            Long,
            "268435456",
            Low,
            "Memory for sorting, grouping and joining, in bytes. What needs more goes to disk.",
        )
        .validated(Validator::AtLeast(16 << 20)),
        ConfigKey::optional(
            DIRECTORY,
            String,
            Low,
            "Directory on local disk for the records, until the query is executed, and for what does not fit into memory. \
             Nothing is left there. The directory for temporary files if not given.",
        ),
    ]
}
