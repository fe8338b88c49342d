//! The keys of the `Datagen` source.

use arrow::datatypes::DataType;
use volley_api::{ConfigDef, ConfigIssue, ConfigKey, ConfigMap, ConfigType, Error, Importance, Result, Validator};

use super::field_config::{field_generator, is_parameter};
use super::field_generator::FieldGenerator;
use super::field_settings::FieldSettings;
use super::preset::{self, Preset};
use super::row_generator::RowGenerator;

const TOPIC: &str = "topic";
const SCHEMA: &str = "schema";
const FIELDS: &str = "fields";
const ROWS: &str = "rows";
const RATE: &str = "rows.per.second";
const SEED: &str = "seed";
const BATCH_SIZE: &str = "batch.size";
const KEY_FIELD: &str = "key.field";
const TIMESTAMP_FIELD: &str = "timestamp.field";

/// How many tasks share the rows. The connector tells its tasks; it is no key of the user's.
const TASKS: &str = "datagen.tasks";

const FIELDS_DOC: &str = "Names of the fields of a row, in order. Each is described by keys of its own, \
`fields.<name>.<parameter>`. Every field: `type` (boolean, int8, int16, int32, int64, float32, float64, decimal, string, \
date, timestamp), `generator`, `null.rate` (share of nulls, 0 to 1; 0 makes the field required). Generators: `uniform` \
(the default; `min`, `max`, both included), `sequence` (`start`, `step`; row 0 has the start), `walk` (the default of \
timestamps: `start`, `step`, `jitter`: a sequence, plus 0 to jitter by chance; steps are milliseconds for timestamps, days \
for dates), `zipf` (numbers 1 to `cardinality`, or items of `values`, the first most often, by `exponent`), `choice` \
(`values`, and `weights` if they are not all alike), `pattern` (`pattern`: # is a digit, ? a lower-case letter, ^ an \
upper-case letter, % a hexadecimal digit, a backslash takes the next character as it is). Types: float32, float64 and \
decimal take `scale` (digits after the point, 0 to 9); string takes `prefix`, before numbers too; dates are written \
2025-01-31, timestamps so, as 2025-01-31T12:00:00Z or as milliseconds. Whole numbers wrap around at the ends of their \
type. Where `schema` is given too, it supplies what is not said here.";

/// The definition of all keys.
pub(super) fn config_def() -> ConfigDef {
    let [high, medium, low] = [Importance::High, Importance::Medium, Importance::Low];
    ConfigDef::new()
        .key(
            ConfigKey::required(TOPIC, ConfigType::String, high, "The topic to write to.")
                .validated(Validator::NonEmpty),
        )
        .key(schema_key())
        .key(ConfigKey::with_default(FIELDS, ConfigType::List, "", high, FIELDS_DOC))
        .key(
            ConfigKey::optional(
                ROWS,
                ConfigType::Long,
                high,
                "How many rows to make, all tasks together; the connector is done after the last. Without it there is \
                 no end.",
            )
            .validated(Validator::AtLeast(0)),
        )
        .key(
            ConfigKey::optional(
                RATE,
                ConfigType::Double,
                medium,
                "How many rows to make per second, all tasks together. Without it, as many as the worker takes.",
            )
            .validated(Validator::custom(is_positive)),
        )
        .key(ConfigKey::with_default(
            SEED,
            ConfigType::Long,
            "1",
            medium,
            "Which rows to make: row n depends on the seed, on n and on the description of its fields, on nothing else.",
        ))
        .key(ConfigKey::with_default(
            KEY_FIELD,
            ConfigType::String,
            "",
            medium,
            "The field whose value is the record key too. Empty: the key is null.",
        ))
        .key(ConfigKey::with_default(
            TIMESTAMP_FIELD,
            ConfigType::String,
            "",
            low,
            "The field, of type timestamp, whose value is the record timestamp too. Empty: the time of producing.",
        ))
        .key(
            ConfigKey::with_default(BATCH_SIZE, ConfigType::Int, "8192", low, "Most rows of a batch.")
                .validated(Validator::Between(1, 1_000_000)),
        )
}

fn schema_key() -> ConfigKey {
    let documentation = format!(
        "Ready-made fields: {}. Without `schema` and `fields` it is {}. Keys under `fields.` change or, with `fields`, \
         choose from the ready-made ones.",
        preset::NAMES.join(", "),
        preset::DEFAULT
    );
    let mut key = ConfigKey::optional(SCHEMA, ConfigType::String, Importance::High, &documentation)
        .validated(Validator::one_of(preset::NAMES.iter().copied()));
    key.recommended_values = preset::NAMES.iter().map(|name| (*name).to_owned()).collect();
    key
}

fn is_positive(value: &volley_api::ConfigValue) -> std::result::Result<(), String> {
    match value {
        volley_api::ConfigValue::Double(rate) if !rate.is_finite() || *rate <= 0.0 => {
            Err("Value must be above 0".into())
        }
        _ => Ok(()),
    }
}

/// A task's configuration, parsed.
#[derive(Debug)]
pub(super) struct DatagenConfig {
    /// Makes the rows.
    pub(super) rows: RowGenerator,
    /// Number of rows of all tasks; `None` = no end.
    pub(super) end: Option<u64>,
    /// Rows per second of this task; `None` = no limit.
    pub(super) rate: Option<f64>,
    /// Number of tasks; at least 1.
    pub(super) tasks: u64,
    /// Most rows of a batch; at least 1.
    pub(super) batch_size: usize,
}

impl DatagenConfig {
    /// Parses the configuration of a task.
    pub(super) fn parse(config: &ConfigMap) -> Result<Self> {
        let parsed = config_def().parse(config)?;
        let (generators, issues) = field_generators(config);
        if let Some(issue) = issues.into_iter().next() {
            return Err(Error::config(issue.message));
        }
        let tasks = config.get(TASKS).and_then(|tasks| tasks.parse().ok()).unwrap_or(1).max(1);
        let place = |key| parsed.string(key).and_then(|name| position(&generators, name));
        let (key, timestamp) = (place(KEY_FIELD), place(TIMESTAMP_FIELD));
        let topic = parsed.string(TOPIC).unwrap_or_default();
        Ok(Self {
            rows: RowGenerator::new(topic, generators, key, timestamp),
            end: parsed.long(ROWS).and_then(|rows| u64::try_from(rows).ok()),
            rate: parsed.double(RATE).map(|rate| rate / tasks as f64),
            tasks,
            batch_size: parsed.long(BATCH_SIZE).and_then(|rows| usize::try_from(rows).ok()).unwrap_or(1).max(1),
        })
    }
}

/// What is wrong with the keys that the definition does not know, since they depend on others.
pub(super) fn issues(config: &ConfigMap) -> Vec<ConfigIssue> {
    field_generators(config).1
}

/// The configuration of each of `tasks` tasks.
pub(super) fn task_config(config: &ConfigMap, tasks: usize) -> ConfigMap {
    let mut config = config.clone();
    config.insert(TASKS.to_owned(), tasks.to_string());
    config
}

fn field_generators(config: &ConfigMap) -> (Vec<FieldGenerator>, Vec<ConfigIssue>) {
    let (parsed, _) = config_def().validate(config);
    let seed = parsed.long(SEED).unwrap_or_default();
    let own_names = parsed.list(FIELDS);
    let preset = match parsed.string(SCHEMA) {
        Some(name) => Preset::named(name),
        None if own_names.is_empty() => Preset::named(preset::DEFAULT),
        None => Preset::default(),
    };
    let names = if own_names.is_empty() { &preset.fields } else { own_names };
    let mut issues = name_issues(names, config);
    let mut generators = Vec::new();
    for name in names {
        match field_generator(FieldSettings { name, config, preset: &preset }, seed) {
            Ok(generator) => generators.push(generator),
            Err(issue) => issues.push(issue),
        }
    }
    if issues.is_empty() {
        issues.extend(reference_issue(&generators, KEY_FIELD, parsed.string(KEY_FIELD), |_| true));
        let is_timestamp = |generator: &FieldGenerator| matches!(generator.field.data_type(), DataType::Timestamp(..));
        issues.extend(reference_issue(&generators, TIMESTAMP_FIELD, parsed.string(TIMESTAMP_FIELD), is_timestamp));
    }
    (generators, issues)
}

fn name_issues(names: &[String], config: &ConfigMap) -> Vec<ConfigIssue> {
    let mut issues = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for name in names {
        if name.is_empty() {
            issues.push(ConfigIssue::new(FIELDS, "Invalid value for configuration fields: a field name is empty"));
        } else if !seen.insert(name.as_str()) {
            let message = format!("Invalid value for configuration fields: the field {name} is listed twice");
            issues.push(ConfigIssue::new(FIELDS, message));
        }
    }
    for key in config.keys().filter(|key| key.starts_with("fields.")) {
        if !names_a_field(key, &seen) {
            let message =
                format!("Invalid configuration {key}: it describes no field; the fields are {}", names.join(", "));
            issues.push(ConfigIssue::new(key, message));
        }
    }
    issues
}

/// Whether the key is `fields.<one of the names>.<parameter>`. Names may contain dots, and so may parameters.
fn names_a_field(key: &str, names: &std::collections::HashSet<&str>) -> bool {
    let rest = key.strip_prefix("fields.").unwrap_or_default();
    rest.match_indices('.').any(|(dot, _)| {
        let (name, parameter) = (&rest[..dot], &rest[dot + 1..]);
        names.contains(name) && (is_parameter(parameter) || !parameter.contains('.'))
    })
}

fn reference_issue(
    generators: &[FieldGenerator],
    key: &str,
    name: Option<&str>,
    fits: impl Fn(&FieldGenerator) -> bool,
) -> Option<ConfigIssue> {
    let name = name.filter(|name| !name.is_empty())?;
    let reason = match position(generators, name) {
        Some(index) if fits(&generators[index]) => return None,
        Some(_) => "the field is not a timestamp",
        None => "there is no field of this name",
    };
    Some(ConfigIssue::new(key, format!("Invalid value {name} for configuration {key}: {reason}")))
}

fn position(generators: &[FieldGenerator], name: &str) -> Option<usize> {
    generators.iter().position(|generator| generator.field.name() == name)
}
