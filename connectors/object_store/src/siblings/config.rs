//! The keys of files beside others, parsed.

use volley_api::{Config, ConfigIssue, ConfigKey, ConfigType, Importance};

use crate::format::{FormatConfig, FormatKind};

const KEYS: &str = "store.kafka.keys";
const HEADERS: &str = "store.kafka.headers";
const KEYS_FORMAT: &str = "keys.format.class";
const HEADERS_FORMAT: &str = "headers.format.class";

/// What stands in a file beside another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SiblingKind {
    /// The keys.
    Keys,
    /// The headers.
    Headers,
}

/// Files beside all others.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SiblingConfig {
    pub(crate) kind: SiblingKind,
    /// Its extension has the name of the kind before that of the format.
    pub(crate) format: FormatConfig,
}

impl SiblingKind {
    const ALL: [Self; 2] = [Self::Keys, Self::Headers];

    /// The key that asks for them.
    pub(crate) fn switch(self) -> &'static str {
        match self {
            Self::Keys => KEYS,
            Self::Headers => HEADERS,
        }
    }

    /// Names the kind: in file names, and in messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Keys => "keys",
            Self::Headers => "headers",
        }
    }

    fn format_key(self) -> &'static str {
        match self {
            Self::Keys => KEYS_FORMAT,
            Self::Headers => HEADERS_FORMAT,
        }
    }

    /// Whether there are such files of the format.
    fn takes(self, kind: &FormatKind) -> bool {
        match kind {
            FormatKind::Avro { .. } | FormatKind::JsonLines { .. } | FormatKind::Parquet(_) => true,
            FormatKind::Bytes { .. } => self == Self::Keys,
            FormatKind::Csv(_)
            | FormatKind::Arrow(_)
            | FormatKind::RecordCsv { .. }
            | FormatKind::RecordJson { .. } => false,
        }
    }
}

/// The files that stand beside others, from keys that have been checked.
pub(crate) fn siblings_of(config: &Config) -> Vec<SiblingConfig> {
    let main = FormatConfig::from_config(config);
    let wanted = SiblingKind::ALL.into_iter().filter(|kind| config.boolean(kind.switch()));
    wanted
        .map(|kind| {
            let class = config.string(kind.format_key()).unwrap_or_default();
            let format = FormatConfig::of_class(config, class);
            // names of Parquet's files are the same for all of them
            let is_parquet = |format: &FormatConfig| matches!(format.kind, FormatKind::Parquet(_));
            let extension = match &format.kind {
                FormatKind::Parquet(_) if is_parquet(&main) && !main.extension.is_empty() => main.extension.to_string(),
                FormatKind::Parquet(options) => format!("{}.parquet", options.codec_extension()),
                FormatKind::Bytes { codec, .. } if is_of_text(class) => format!(".txt{}", codec.extension()),
                _ => format.extension.to_string(),
            };
            let extension = format!(".{}{extension}", kind.name()).into();
            SiblingConfig { kind, format: FormatConfig { extension, ..format } }
        })
        .collect()
}

/// What is wrong with these keys. Single keys have been checked.
pub(crate) fn sibling_issues(config: &Config) -> Vec<ConfigIssue> {
    let wanted = SiblingKind::ALL.into_iter().filter(|kind| config.boolean(kind.switch()));
    let refused = wanted.filter(|kind| {
        let class = config.string(kind.format_key()).unwrap_or_default();
        !FormatConfig::is_class(class) || !kind.takes(&FormatConfig::of_class(config, class).kind)
    });
    refused
        .map(|kind| {
            let formats = match kind {
                SiblingKind::Keys => "Avro, JsonLines, Parquet, ByteArray or String",
                SiblingKind::Headers => "Avro, JsonLines or Parquet",
            };
            let message = format!("files of {} are of {formats}, or the name of Confluent's class for it", kind.name());
            ConfigIssue::new(kind.format_key(), message)
        })
        .collect()
}

/// The keys, in the order in which they are shown.
pub(crate) fn sibling_keys() -> Vec<ConfigKey> {
    let switch = |kind: SiblingKind, what: &str| {
        let text = format!(
            "Whether each file has another beside it with the {what} of its records, row for row: its name with `.{}` before the \
             extension. A record without {what} is an error then.",
            kind.name()
        );
        ConfigKey::with_default(kind.switch(), ConfigType::Boolean, "false", Importance::Low, &text)
    };
    let format = |kind: SiblingKind, what: &str| {
        let text = format!("Format of the files with the {what}; Confluent's names of classes are taken too.");
        ConfigKey::with_default(kind.format_key(), ConfigType::String, "Avro", Importance::Low, &text)
    };
    vec![
        switch(SiblingKind::Keys, "key"),
        format(SiblingKind::Keys, "keys: Avro, JsonLines, Parquet, ByteArray or String"),
        switch(SiblingKind::Headers, "headers"),
        format(SiblingKind::Headers, "headers: Avro, JsonLines or Parquet"),
    ]
}

fn is_of_text(class: &str) -> bool {
    let name = class.rsplit('.').next().unwrap_or(class);
    name.eq_ignore_ascii_case("string") || name.eq_ignore_ascii_case("stringformat")
}
