//! How the keys that Confluent's sinks for stores have in common are translated.

use super::file_format::{FileFormat, parquet_extension};
use super::partitioner_keys::{TIMEZONE, translate_partitioner};
use super::storage_keys::{
    AVRO_CODEC, BYTES_EXTENSION, BYTES_SEPARATOR, CONNECT_META_DATA, DIRECTORY_DELIM, ENHANCED_AVRO, FILE_DELIM,
    FLUSH_SIZE, FORMAT_CLASS, JSON_DECIMALS, NULL_VALUES, OPTIONAL_MAP_KEYS, PAD_WIDTH, PARQUET_CODEC, RETRY_BACKOFF,
    ROTATE_INTERVAL, ROTATE_SCHEDULE_INTERVAL, SCHEMA_COMPATIBILITY, TOPICS_DIR,
};
use super::translation::Translation;
use crate::evolution::Compatibility;

const EXTENSION: &str = "file.extension";
const IDLE: &str = "rotate.idle.ms";

/// Names, rotation and errors.
pub(crate) fn translate_storage(translation: &mut Translation<'_>) {
    let positive = |number: Option<i64>| number.filter(|number| *number > 0);
    translation.same(&[
        FLUSH_SIZE,
        PAD_WIDTH,
        AVRO_CODEC,
        CONNECT_META_DATA,
        ENHANCED_AVRO,
        OPTIONAL_MAP_KEYS,
        TOPICS_DIR,
        DIRECTORY_DELIM,
        FILE_DELIM,
    ]);
    translate_compatibility(translation);
    for key in [ROTATE_INTERVAL, ROTATE_SCHEDULE_INTERVAL] {
        translation.set(key, positive(translation.long(key)).unwrap_or(-1).to_string());
    }
    if positive(translation.long(ROTATE_SCHEDULE_INTERVAL)).is_some() && translation.text(TIMEZONE).is_none() {
        let message = format!(
            "`{TIMEZONE}` is needed together with `{ROTATE_SCHEDULE_INTERVAL}`: UTC, or a place such as Europe/Berlin"
        );
        translation.refuse(TIMEZONE, message);
    }
    // Confluent's sinks have no such rotation. A file whose interval is over would wait for a later record for ever; that one would
    // begin another file anyway, so that the same records mostly make the same files
    let idle = positive(translation.long(ROTATE_INTERVAL)).unwrap_or(-1);
    translation.set(IDLE, idle.to_string());
    translation.set(RETRY_BACKOFF, positive(translation.long(RETRY_BACKOFF)).unwrap_or(1).to_string());
    translate_partitioner(translation);
}

/// A name that is unknown means NONE, as in Java.
fn translate_compatibility(translation: &mut Translation<'_>) {
    let name = translation.text(SCHEMA_COMPATIBILITY).unwrap_or_default();
    let compatibility = Compatibility::named(name);
    if compatibility.is_none() {
        translation.remark(format!(
            "`{SCHEMA_COMPATIBILITY}` `{name}` is not one of {} and means NONE",
            Compatibility::NAMES.join(", ")
        ));
    }
    translation.set(SCHEMA_COMPATIBILITY, compatibility.unwrap_or_default().to_string());
}

/// The format of files in an object store. `compression`: the keys of type and level.
pub(crate) fn translate_format(translation: &mut Translation<'_>, compression: (&str, &str)) {
    let Some(format) = format(translation) else { return };
    translation.set("format.class", format.name());
    translation.same(&[JSON_DECIMALS, BYTES_EXTENSION]);
    translate_separator(translation);
    match format {
        FileFormat::Parquet => match parquet_extension(translation.text(PARQUET_CODEC).unwrap_or("snappy")) {
            Ok(extension) => {
                translation.same(&[PARQUET_CODEC]);
                translation.set(EXTENSION, extension);
            }
            Err(message) => translation.refuse(PARQUET_CODEC, message),
        },
        FileFormat::Avro => translation.set(EXTENSION, ".avro"),
        FileFormat::String => translation.set(EXTENSION, ".txt"),
        FileFormat::Json | FileFormat::ByteArray => {}
    }
    if format.is_of_lines() {
        translation.copy(compression.0, "file.compression.type");
        translation.copy(compression.1, "file.compression.level");
    }
}

/// The format; what is wrong with it is noted.
pub(crate) fn format(translation: &mut Translation<'_>) -> Option<FileFormat> {
    match FileFormat::parse(translation.text(FORMAT_CLASS).unwrap_or_default()) {
        Ok(format) => Some(format),
        Err(message) => {
            translation.refuse(FORMAT_CLASS, message);
            None
        }
    }
}

/// White space around a text is taken off when it is parsed: a line feed, which is the default too, is left out.
fn translate_separator(translation: &mut Translation<'_>) {
    match translation.given(BYTES_SEPARATOR) {
        None | Some("\n") => {}
        Some(separator) if separator.trim() == separator => translation.same(&[BYTES_SEPARATOR]),
        Some(_) => translation.refuse(
            BYTES_SEPARATOR,
            "give a text without white space at its ends, or leave the key out for a line feed",
        ),
    }
}

/// What becomes of null values.
pub(crate) fn translate_null_values(translation: &mut Translation<'_>) {
    translation.same(&[NULL_VALUES]);
}
