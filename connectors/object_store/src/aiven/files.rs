//! How the keys that Aiven's sinks for stores have in common are translated.

use super::file_keys::{
    COMPRESSION_TYPE, ENVELOPE, MAX_RECORDS, NAME_TEMPLATE, OUTPUT_FIELDS, OUTPUT_TYPE, PREFIX_TEMPLATE, RETRY_BACKOFF,
    TIMESTAMP_SOURCE, TIMESTAMP_TIMEZONE,
};
use crate::confluent::Translation;

/// A worker commits offsets, and Aiven's sinks write their files, this often by default.
const COMMIT_INTERVAL_MS: &str = "60000";
const FORMAT_CLASS: &str = "format.class";

/// Names, formats and rotation. `prefix`: the key of the text before the names, where there is no template of it.
pub(crate) fn translate_files(translation: &mut Translation<'_>, prefix: &str) {
    let compression = translation.text(COMPRESSION_TYPE).unwrap_or("none").to_ascii_lowercase();
    translate_format(translation, &compression);
    translate_name(translation, &compression, prefix);
    translation.same(&[OUTPUT_FIELDS, ENVELOPE]);
    translate_times(translation);
    let most = translation.long(MAX_RECORDS).filter(|most| *most > 0);
    translation.set("flush.size", most.unwrap_or(i64::MAX).to_string());
    translation.set("rotate.schedule.interval.ms", COMMIT_INTERVAL_MS);
    translation.set("rotate.idle.ms", "-1");
    if let Some(backoff) = translation.long(RETRY_BACKOFF) {
        translation.set("retry.backoff.ms", backoff.max(1).to_string());
    }
}

fn translate_format(translation: &mut Translation<'_>, compression: &str) {
    let format = translation.text(OUTPUT_TYPE).unwrap_or_default().to_ascii_lowercase();
    match format.as_str() {
        "jsonl" if compression == "snappy" => {
            let message =
                format!("`{COMPRESSION_TYPE}` snappy is not offered for jsonl by this sink: use gzip, zstd or none");
            translation.refuse(COMPRESSION_TYPE, message);
        }
        "jsonl" => {
            translation.set(FORMAT_CLASS, "JsonLines");
            translation.set(COMPRESSION_TYPE, compression);
        }
        "parquet" => {
            translation.set(FORMAT_CLASS, "Parquet");
            translation.set("parquet.codec", compression);
        }
        "avro" => {
            translation.set(FORMAT_CLASS, "Avro");
            let codec = match compression {
                "gzip" => "deflate",
                "zstd" => "zstandard",
                "none" => "null",
                other => other,
            };
            translation.set("avro.codec", codec);
        }
        other => {
            let is_default = translation.given(OUTPUT_TYPE).is_none();
            let default = if is_default { ", which is the default," } else { "" };
            let message =
                format!("`{OUTPUT_TYPE}` {other}{default} is not offered by this sink: use jsonl, parquet or avro");
            translation.refuse(OUTPUT_TYPE, message);
        }
    }
}

fn translate_times(translation: &mut Translation<'_>) {
    let is_event = translation.text(TIMESTAMP_SOURCE).is_some_and(|source| source.eq_ignore_ascii_case("event"));
    translation.set("timestamp.extractor", if is_event { "Record" } else { "Wallclock" });
    let zone = translation.text(TIMESTAMP_TIMEZONE).filter(|zone| *zone != "Z").unwrap_or("UTC").to_owned();
    translation.set("timezone", zone);
}

fn translate_name(translation: &mut Translation<'_>, compression: &str, prefix: &str) {
    let extension = match compression {
        "gzip" => ".gz",
        "snappy" => ".snappy",
        "zstd" => ".zst",
        _ => "",
    };
    let usual = format!("{{{{topic}}}}-{{{{partition}}}}-{{{{start_offset}}}}{extension}");
    let template = translation.text(NAME_TEMPLATE).map_or(usual, str::to_owned);
    let prefix = translation.text(PREFIX_TEMPLATE).or_else(|| translation.text(prefix)).unwrap_or_default();
    let template = format!("{}{template}", prefix.trim_start_matches('/'));
    translation.set(NAME_TEMPLATE, template);
}
