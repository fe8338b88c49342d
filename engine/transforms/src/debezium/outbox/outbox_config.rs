//! The keys of `EventRouter`.

use volley_api::{Config, ConfigDef, ConfigKey, ConfigMap, ConfigType, Importance, Result, Validator};
use volley_java::validate_java_regex;

use super::additional_fields::{AdditionalField, Placement, validate_placements};
use crate::debezium::rewriting::Rewriting;

const EVENT_ID: &str = "table.field.event.id";
const EVENT_KEY: &str = "table.field.event.key";
const EVENT_TYPE: &str = "table.field.event.type";
const EVENT_PAYLOAD: &str = "table.field.event.payload";
const EVENT_TIMESTAMP: &str = "table.field.event.timestamp";
const SCHEMA_VERSION: &str = "table.field.event.schema.version";
const PLACEMENT: &str = "table.fields.additional.placement";
const ERROR_ON_MISSING: &str = "table.fields.additional.error.on.missing";
const INVALID_OPERATION: &str = "table.op.invalid.behavior";
const EXPAND_JSON: &str = "table.expand.json.payload";
const JSON_NULLS: &str = "table.json.payload.null.behavior";
const ROUTE_BY: &str = "route.by.field";
const ROUTE_REGEX: &str = "route.topic.regex";
const ROUTE_REPLACEMENT: &str = "route.topic.replacement";
const TOMBSTONES: &str = "route.tombstone.on.empty.payload";

/// What is configured.
#[derive(Clone, Debug)]
pub(super) struct OutboxConfig {
    pub(super) id: String,
    pub(super) key: String,
    pub(super) payload: String,
    pub(super) timestamp: Option<String>,
    pub(super) schema_version: Option<String>,
    pub(super) additional: Vec<AdditionalField>,
    pub(super) fails_on_missing: bool,
    /// Updates fail. They are left out otherwise.
    pub(super) fails_on_update: bool,
    pub(super) expands_json: bool,
    /// Nulls in JSON become bytes without a value, instead of nothing.
    pub(super) keeps_json_nulls: bool,
    pub(super) route_by: String,
    pub(super) topics: Rewriting,
    pub(super) makes_tombstones: bool,
}

impl OutboxConfig {
    pub(super) fn config_def() -> ConfigDef {
        let text = |name, default, importance, doc| {
            ConfigKey::with_default(name, ConfigType::String, default, importance, doc)
        };
        let flag = |name, default, importance, doc| {
            ConfigKey::with_default(name, ConfigType::Boolean, default, importance, doc)
        };
        let optional = |name, importance, doc| ConfigKey::optional(name, ConfigType::String, importance, doc);
        let one_of = |key: ConfigKey, words: &[&'static str]| {
            key.validated(Validator::one_of_ignore_case(words.iter().copied()))
        };
        let untraced = "Of no effect; nothing is traced.";
        let placement = "Columns that go elsewhere, too: `column:header`, `column:envelope` or `column:partition`, and a name behind \
                         another colon.";
        let operation = "What becomes of updates in the outbox: warn and error leave them out, fatal rejects them.";
        let expand = "Whether payloads that are JSON text become what that says.";
        let nulls =
            "What becomes of nulls in such a text: ignore leaves them out, optional_bytes makes bytes without a value.";
        let tombstones = "Whether a payload that is null or blank makes a tombstone.";
        let timestamp = "Column with the time of the message. Without one it is that of the change.";
        let regex = "Java regular expression for what that column says.";
        let (low, medium, high) = (Importance::Low, Importance::Medium, Importance::High);
        let keys = [
            text(EVENT_ID, "id", low, "Column with the id of the event, which becomes the header `id`."),
            text(EVENT_KEY, "aggregateid", low, "Column with the key of the message."),
            text(EVENT_TYPE, "type", low, "Column with the type of the event; of no effect."),
            text(EVENT_PAYLOAD, "payload", low, "Column with the value of the message."),
            optional(EVENT_TIMESTAMP, medium, timestamp),
            ConfigKey::optional(PLACEMENT, ConfigType::List, high, placement)
                .validated(Validator::custom(validate_placements)),
            flag(ERROR_ON_MISSING, "true", medium, "Whether rows fail that have no such column."),
            optional(SCHEMA_VERSION, low, "Column with the version of the value's schema."),
            one_of(text(INVALID_OPERATION, "warn", medium, operation), &["warn", "error", "fatal"]),
            flag(EXPAND_JSON, "false", medium, expand),
            one_of(text(JSON_NULLS, "ignore", medium, nulls), &["ignore", "optional_bytes"]),
            text(ROUTE_BY, "aggregatetype", high, "Column that the topic is made of."),
            text(ROUTE_REGEX, "(?<routedByValue>.*)", low, regex).validated(Validator::custom(validate_java_regex)),
            text(
                ROUTE_REPLACEMENT,
                "outbox.event.${routedByValue}",
                high,
                "The topic, with the groups of that expression.",
            ),
            flag(TOMBSTONES, "false", high, tombstones),
            text("tracing.span.context.field", "tracingspancontext", high, untraced),
            text("tracing.operation.name", "debezium-read", high, untraced),
            flag("tracing.with.context.field.only", "false", high, untraced),
        ];
        keys.into_iter().fold(ConfigDef::new(), ConfigDef::key)
    }

    /// # Errors
    /// `Config` if a value is none that its key may have.
    pub(super) fn new(config: &ConfigMap) -> Result<Self> {
        let config = Self::config_def().parse(config)?;
        let text = |key| config.string(key).unwrap_or_default().to_owned();
        let is = |key, word: &str| config.string(key).is_some_and(|text| text.eq_ignore_ascii_case(word));
        Ok(Self {
            id: text(EVENT_ID),
            key: text(EVENT_KEY),
            payload: text(EVENT_PAYLOAD),
            timestamp: given(&config, EVENT_TIMESTAMP),
            schema_version: given(&config, SCHEMA_VERSION),
            additional: AdditionalField::parse_all(config.list(PLACEMENT))?,
            fails_on_missing: config.boolean(ERROR_ON_MISSING),
            fails_on_update: is(INVALID_OPERATION, "fatal"),
            expands_json: config.boolean(EXPAND_JSON),
            keeps_json_nulls: is(JSON_NULLS, "optional_bytes"),
            route_by: text(ROUTE_BY),
            topics: Rewriting::new(&text(ROUTE_REGEX), &text(ROUTE_REPLACEMENT))?,
            makes_tombstones: config.boolean(TOMBSTONES),
        })
    }

    /// The columns that go to a place.
    pub(super) fn placed(&self, placement: Placement) -> impl Iterator<Item = &AdditionalField> {
        self.additional.iter().filter(move |field| field.placement == placement)
    }

    /// Whether the value is more than the payload.
    pub(super) fn has_envelope(&self) -> bool {
        self.placed(Placement::Envelope).next().is_some()
    }
}

fn given(config: &Config, key: &str) -> Option<String> {
    config.string(key).map(str::to_owned)
}
