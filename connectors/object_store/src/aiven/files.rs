//! How the keys that Aiven's sinks for stores have in common are translated.

use super::file_keys::{
    COMPRESSION_TYPE, ENVELOPE, FIELD_ENCODING, MAX_RECORDS, NAME_TEMPLATE, OUTPUT_FIELDS, OUTPUT_TYPE, RETRY_BACKOFF,
};
use super::old_prefix::with_dates;
use crate::confluent::Translation;
use crate::keyed::KeyedTemplate;

/// A worker commits offsets, and Aiven's sinks write their files, this often by default.
const COMMIT_INTERVAL_MS: &str = "60000";
const FORMAT_CLASS: &str = "format.class";
const NULL_VALUES: &str = "behavior.on.null.values";

/// How a sink names its files.
#[derive(Clone, Copy, Debug)]
pub(super) enum Names<'a> {
    /// By the template, behind a prefix.
    Template {
        /// A text.
        prefix: &'a str,
    },
    /// As the S3 sink did before there were templates: behind a prefix that is a template itself.
    OldPrefix {
        /// A template.
        prefix: &'a str,
        /// The key that it is from.
        key: &'a str,
    },
}

/// What the user wants of formats, whichever key it is from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Output<'a> {
    /// Compression of the files.
    pub(super) compression: &'a str,
    /// What of records is written; `None`: not given.
    pub(super) fields: Option<&'a str>,
    /// `base64` or `none`.
    pub(super) encoding: &'a str,
}

/// Whose clock names files, and in which time zone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    /// The key of the source.
    pub(super) source: &'static str,
    /// The key of the time zone.
    pub(super) zone: &'static str,
}

/// Names, formats and rotation.
pub(super) fn translate_files(translation: &mut Translation<'_>, names: Names<'_>, output: Output<'_>, times: Times) {
    let compression = output.compression.to_ascii_lowercase();
    let format = translation.text(OUTPUT_TYPE).unwrap_or_default().to_ascii_lowercase();
    translate_format(translation, &format, &compression, output);
    translate_times(translation, times);
    let extension = match compression.as_str() {
        "gzip" => ".gz",
        "snappy" => ".snappy",
        "zstd" => ".zst",
        _ => "",
    };
    let extension = format!("{}{extension}", if format == "avro" { ".avro" } else { "" });
    translate_name(translation, names, &extension, times);
    translation.set("rotate.schedule.interval.ms", COMMIT_INTERVAL_MS);
    translation.set("rotate.idle.ms", "-1");
    if let Some(backoff) = translation.long(RETRY_BACKOFF) {
        translation.set("retry.backoff.ms", backoff.max(1).to_string());
    }
}

fn translate_format(translation: &mut Translation<'_>, format: &str, compression: &str, output: Output<'_>) {
    let (class, codec_key) = match format {
        "json" => ("RecordJson", COMPRESSION_TYPE),
        "jsonl" => ("RecordJsonLines", COMPRESSION_TYPE),
        "parquet" => ("Parquet", "parquet.codec"),
        "avro" => ("Avro", COMPRESSION_TYPE),
        _ => ("RecordCsv", COMPRESSION_TYPE),
    };
    translation.set(FORMAT_CLASS, class);
    translation.set(codec_key, compression);
    let fields = output.fields.unwrap_or("value");
    translation.set(OUTPUT_FIELDS, fields);
    translation.set(FIELD_ENCODING, output.encoding);
    translation.same(&[ENVELOPE]);
    let (is_alone, is_one) = (!translation.boolean(ENVELOPE), !fields.contains(','));
    if is_alone && !is_one {
        let message = format!("with `{ENVELOPE}` false, `{OUTPUT_FIELDS}` must contain one field only");
        translation.refuse(OUTPUT_FIELDS, message);
    }
    // a value alone has no row where there is none
    if !matches!(class, "Parquet" | "Avro") || !is_alone {
        translation.set(NULL_VALUES, "keep");
    }
}

fn translate_times(translation: &mut Translation<'_>, times: Times) {
    let is_event = translation.text(times.source).is_some_and(|source| source.eq_ignore_ascii_case("event"));
    translation.set("timestamp.extractor", if is_event { "Record" } else { "Wallclock" });
    let zone = translation.text(times.zone).filter(|zone| *zone != "Z").unwrap_or("UTC").to_owned();
    translation.set("timezone", zone);
}

fn translate_name(translation: &mut Translation<'_>, names: Names<'_>, extension: &str, times: Times) {
    let given = translation.text(NAME_TEMPLATE);
    let template = match names {
        Names::Template { prefix } => {
            let usual = || format!("{{{{topic}}}}-{{{{partition}}}}-{{{{start_offset}}}}{extension}");
            format!("{prefix}{}", given.map_or_else(usual, str::to_owned))
        }
        Names::OldPrefix { prefix, key } => {
            if given.is_some() {
                translation.remark(format!("`{NAME_TEMPLATE}` has no effect, since `{key}` is given"));
            }
            let zone = translation.text(times.zone).unwrap_or("Z");
            let prefix = match with_dates(prefix, zone) {
                Ok(prefix) => prefix,
                Err(message) => return translation.refuse(key, message),
            };
            format!("{prefix}{{{{topic}}}}-{{{{partition}}}}-{{{{start_offset:padding=true}}}}{extension}")
        }
    };
    // once the name of this unit
    let template = template.replace("unit=YYYY", "unit=yyyy");
    let below = template.trim_start_matches('/');
    if below.len() < template.len() {
        translation.remark("the `/` at the beginning of the names of files is left out");
    }
    let most = translation.long(MAX_RECORDS).filter(|most| *most > 0);
    let is_keyed = matches!(KeyedTemplate::parse(below), Ok(Some(_)));
    if is_keyed && most.is_some_and(|most| most > 1) {
        let message = format!("with `{{{{key}}}}` in `{NAME_TEMPLATE}`, `{MAX_RECORDS}` is 1 or not given");
        translation.refuse(MAX_RECORDS, message);
    }
    translation.set("flush.size", most.filter(|_| !is_keyed).unwrap_or(i64::MAX).to_string());
    translation.set(NAME_TEMPLATE, below);
}
