//! The queries of a connector: the one of `query`, or those that `queries` names, each with keys of its own below
//! `query.<name>`.

use std::sync::Arc;

use volley_api::{Config, ConfigDef, ConfigIssue, ConfigKey, ConfigMap, ConfigType, Importance, Secret, Validator};

use super::column_choice::ColumnChoice;
use super::config_keys::{
    INCREMENTING, KEY_COLUMNS, MODE, QUERIES, QUERY, QUERY_MASKED, QUERY_RETRIES, QUERY_SUFFIX, TIMESTAMP,
    TOPIC_PREFIX, key_columns, modes,
};
use super::key_columns::KeyColumns;
use super::reading::{Mode, Reading};

/// Names that would make other keys of the connector mean a query.
const TAKEN: [&str; 3] = ["masked", "suffix", "retry"];

/// A query that is read.
#[derive(Clone, Debug)]
pub(in crate::source) struct SourceQuery {
    /// Its name; `None`: the one of `query`.
    pub(in crate::source) name: Option<String>,
    pub(in crate::source) text: Secret,
    pub(in crate::source) topic: String,
    pub(in crate::source) reading: Arc<Reading>,
}

/// The query of `query` or `query.masked`, if there is one.
pub(in crate::source) fn single_query(config: &Config) -> Option<Secret> {
    let masked = config.password(QUERY_MASKED).map(Secret::reveal);
    let text = masked.or(config.string(QUERY))?;
    (!text.trim().is_empty()).then(|| Secret::new(text))
}

/// The queries of a configuration without issues; none where it reads tables. `reading` is what counts where a query
/// says nothing.
pub(in crate::source) fn queries(config: &Config, map: &ConfigMap, reading: &Arc<Reading>) -> Vec<SourceQuery> {
    let prefix = config.string(TOPIC_PREFIX).unwrap_or_default();
    if let Some(text) = single_query(config) {
        return vec![SourceQuery { name: None, text, topic: prefix.to_owned(), reading: Arc::clone(reading) }];
    }
    let named = config.list(QUERIES).iter().map(|name| named_query(name, prefix, map, reading));
    named.collect()
}

fn named_query(name: &str, prefix: &str, map: &ConfigMap, reading: &Reading) -> SourceQuery {
    let (own, _) = query_def(name).validate(map);
    let text = |key: &str| own.string(&key_of(name, key)).filter(|text| !text.is_empty());
    let mut reading = reading.clone();
    if let Some(mode) = text(MODE) {
        reading.mode = Mode::parse(mode);
    }
    if let Some(column) = text(INCREMENTING) {
        reading.incrementing = ColumnChoice { names: vec![column.to_owned()], by_table: Vec::new() };
    }
    let columns = own.list(&key_of(name, TIMESTAMP));
    if !columns.is_empty() {
        reading.timestamps = ColumnChoice { names: columns.to_vec(), by_table: Vec::new() };
    }
    if map.contains_key(&key_of(name, KEY_COLUMNS)) {
        reading.keys = KeyColumns::parse(own.list(&key_of(name, KEY_COLUMNS))).unwrap_or_default();
    }
    SourceQuery {
        name: Some(name.to_owned()),
        text: Secret::new(text("").unwrap_or_default()),
        topic: text("topic").map_or_else(|| format!("{prefix}{name}"), str::to_owned),
        reading: Arc::new(reading),
    }
}

/// The key of a query; without `key` that of its text.
fn key_of(name: &str, key: &str) -> String {
    if key.is_empty() { format!("query.{name}") } else { format!("query.{name}.{key}") }
}

/// The keys of the query `name`.
fn query_def(name: &str) -> ConfigDef {
    let key = |key: &str, config_type, documentation: &str| {
        ConfigKey::optional(&key_of(name, key), config_type, Importance::Medium, documentation)
    };
    ConfigDef::new()
        .key(ConfigKey::required(&key_of(name, ""), ConfigType::String, Importance::High, "The query."))
        .key(key("topic", ConfigType::String, "Its topic."))
        .key(key(MODE, ConfigType::String, "As `mode`.").validated(modes()))
        .key(key(INCREMENTING, ConfigType::String, "As `incrementing.column.name`."))
        .key(key(TIMESTAMP, ConfigType::List, "As `timestamp.column.name`."))
        .key(key(KEY_COLUMNS, ConfigType::List, "As `key.columns`.").validated(Validator::custom(key_columns)))
}

/// What is wrong with the queries of a configuration; `reading` is what counts where a query says nothing.
pub(in crate::source) fn query_issues(config: &Config, map: &ConfigMap, reading: &Reading) -> Vec<ConfigIssue> {
    let mut issues = Vec::new();
    let names = config.list(QUERIES);
    if !names.is_empty() && single_query(config).is_some() {
        issues.push(ConfigIssue::new(QUERIES, format!("`{QUERY}` and `{QUERIES}` exclude each other: remove one")));
    }
    for (place, name) in names.iter().enumerate() {
        if let Some(reason) = objection_to_name(name, &names[..place]) {
            issues.push(ConfigIssue::new(QUERIES, reason));
            continue;
        }
        let (_, wrong) = query_def(name).validate(map);
        if !wrong.is_empty() {
            issues.extend(wrong);
            continue;
        }
        let query = named_query(name, config.string(TOPIC_PREFIX).unwrap_or_default(), map, reading);
        issues.extend(issues_of(name, &query));
    }
    issues
}

fn objection_to_name(name: &str, before: &[String]) -> Option<String> {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || character == '_' || character == '-';
    if name.is_empty() || !name.chars().all(is_plain) {
        return Some(format!("`{name}` is no name of a query: it may have letters, digits, `_` and `-`"));
    }
    if TAKEN.contains(&name) {
        let taken = [QUERY_MASKED, QUERY_SUFFIX, QUERY_RETRIES].join("`, `");
        return Some(format!("a query cannot be called `{name}`, because there are the keys `{taken}`"));
    }
    before.iter().any(|other| other == name).then(|| format!("`{name}` is there twice"))
}

fn issues_of(name: &str, query: &SourceQuery) -> Vec<ConfigIssue> {
    let SourceQuery { text, topic, reading, .. } = query;
    let mut issues = Vec::new();
    if text.reveal().trim().is_empty() {
        issues.push(ConfigIssue::new(key_of(name, ""), "a query cannot be empty"));
    }
    if topic.is_empty() {
        issues.push(ConfigIssue::new(key_of(name, "topic"), "a topic needs a name"));
    }
    let needs = |key: &str, what: &str| {
        ConfigIssue::new(key_of(name, key), format!("query `{name}` needs {what}: set it here, or `{key}` for all"))
    };
    if reading.mode.is_incrementing && reading.incrementing.names.is_empty() {
        issues.push(needs(INCREMENTING, "the name of the column with the number of each row"));
    }
    if reading.mode.is_timestamp && reading.timestamps.names.is_empty() {
        issues.push(needs(TIMESTAMP, "a column with the time of each row"));
    }
    if reading.keys == KeyColumns::PrimaryKey {
        issues.push(ConfigIssue::new(key_of(name, KEY_COLUMNS), "a query has no primary key: name the columns"));
    }
    issues
}

/// The configurations of at most `max_tasks` tasks that share the queries, dealt in turns.
pub(in crate::source) fn query_task_configs(
    config: &ConfigMap,
    queries: &[SourceQuery],
    max_tasks: usize,
) -> Vec<ConfigMap> {
    let names: Vec<_> = queries.iter().filter_map(|query| query.name.as_deref()).collect();
    if names.is_empty() {
        return vec![config.clone()];
    }
    let tasks = names.len().min(max_tasks);
    (0..tasks)
        .map(|task| {
            let own: Vec<_> = names.iter().skip(task).step_by(tasks).copied().collect();
            let mut config = config.clone();
            config.insert(QUERIES.to_owned(), own.join(","));
            config
        })
        .collect()
}
