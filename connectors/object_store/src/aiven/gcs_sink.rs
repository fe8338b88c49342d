//! `io.aiven.kafka.connect.gcs.GcsSinkConnector`.

use volley_api::{ConfigKey, ConfigType, Importance, Validator};

use super::file_keys::{
    COMPRESSION_TYPE, FIELD_ENCODING, OUTPUT_FIELDS, TIMESTAMP_SOURCE, TIMESTAMP_TIMEZONE, file_keys,
};
use super::files::{Names, Output, Times, translate_files};
use crate::confluent::{JavaSink, KeyNames, Translation, grouped};

const BUCKET: &str = "gcs.bucket.name";
const CREDENTIALS_PATH: &str = "gcs.credentials.path";
const CREDENTIALS_JSON: &str = "gcs.credentials.json";
const CREDENTIALS_DEFAULT: &str = "gcs.credentials.default";
const ENDPOINT: &str = "gcs.endpoint";
const PREFIX: &str = "file.name.prefix";
const MAX_BYTES: &str = "file.max.bytes";
const CONTENT_ENCODING: &str = "gcs.object.content.encoding";

/// The sink.
pub(crate) const SINK: JavaSink = JavaSink {
    class: "io.aiven.kafka.connect.gcs.GcsSinkConnector",
    alias: None,
    documentation: "Writes records to Google Cloud Storage, each exactly once, with the keys and the defaults of Aiven's GCS sink. \
                    Keys of ObjectStoreSink may be given too.",
    keys,
    names: KeyNames(&[
        ("store.url", BUCKET),
        ("store.gcs.endpoint", ENDPOINT),
        ("store.gcs.service.account.path", CREDENTIALS_PATH),
        ("store.gcs.service.account.key", CREDENTIALS_JSON),
        ("format.class", "format.output.type"),
        ("parquet.codec", "file.compression.type"),
        ("rotate.bytes", MAX_BYTES),
        ("flush.size", "file.max.records"),
        ("retry.backoff.ms", "kafka.retry.backoff.ms"),
    ]),
    translate,
    without_effect: &[&["flush.size", CONTENT_ENCODING]],
    prefixes: &["gcs.", "connect.parquet."],
    translated_prefixes: &[],
};

fn keys() -> Vec<ConfigKey> {
    [grouped("GCS", gcs_keys()), file_keys("none")].concat()
}

fn gcs_keys() -> Vec<ConfigKey> {
    use ConfigType::{Boolean, Long, Password, String};
    use Importance::{High, Low, Medium};
    vec![
        ConfigKey::optional(CREDENTIALS_PATH, String, High, "File with the key of a service account."),
        ConfigKey::optional(CREDENTIALS_JSON, Password, High, "The key of a service account itself, as JSON."),
        ConfigKey::optional(
            CREDENTIALS_DEFAULT,
            Boolean,
            High,
            "Whether GOOGLE_APPLICATION_CREDENTIALS or the machine's own account is used; so it is without other keys too.",
        ),
        ConfigKey::required(BUCKET, String, High, "The bucket. It must exist."),
        ConfigKey::optional(
            ENDPOINT,
            String,
            Low,
            "URL of a server that speaks Google's protocol, if not Google's own.",
        ),
        ConfigKey::with_default(PREFIX, String, "", Medium, "Stands before the names of the files."),
        ConfigKey::with_default(
            MAX_BYTES,
            Long,
            "0",
            Medium,
            "A file is completed when it has about this many bytes; 0 = at 128 MiB.",
        )
        .validated(Validator::AtLeast(0)),
        ConfigKey::optional(CONTENT_ENCODING, String, Low, "No effect: objects have no Content-Encoding."),
    ]
}

fn translate(translation: &mut Translation<'_>) {
    let output = Output {
        compression: translation.text(COMPRESSION_TYPE).unwrap_or("none"),
        fields: translation.given(OUTPUT_FIELDS),
        encoding: translation.text(FIELD_ENCODING).unwrap_or("base64"),
    };
    let names = Names::Template { prefix: translation.text(PREFIX).unwrap_or_default() };
    translate_files(translation, names, output, Times { source: TIMESTAMP_SOURCE, zone: TIMESTAMP_TIMEZONE });
    if let Some(bytes) = translation.long(MAX_BYTES).filter(|bytes| *bytes > 0) {
        translation.set("rotate.bytes", bytes.to_string());
    }
    let bucket = translation.text(BUCKET).unwrap_or_default();
    translation.set("store.url", format!("gs://{bucket}"));
    if bucket.contains('/') {
        translation.refuse(BUCKET, format!("`{BUCKET}` is the name of a bucket, without `/`"));
    }
    let given = [CREDENTIALS_PATH, CREDENTIALS_JSON].into_iter().filter(|key| translation.given(key).is_some());
    let ways: Vec<_> = given.chain(translation.boolean(CREDENTIALS_DEFAULT).then_some(CREDENTIALS_DEFAULT)).collect();
    if let [first, second, ..] = ways[..] {
        translation.refuse(second, format!("give `{first}` or `{second}`, not both"));
    }
    for (key, target) in [
        (ENDPOINT, "store.gcs.endpoint"),
        (CREDENTIALS_PATH, "store.gcs.service.account.path"),
        (CREDENTIALS_JSON, "store.gcs.service.account.key"),
    ] {
        translation.copy(key, target);
    }
}
