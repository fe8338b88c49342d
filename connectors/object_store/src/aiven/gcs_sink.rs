//! `io.aiven.kafka.connect.gcs.GcsSinkConnector`.

use volley_api::{ConfigKey, ConfigType, Importance};

use super::file_keys::file_keys;
use super::files::translate_files;
use crate::confluent::{JavaSink, KeyNames, Translation, grouped};

const BUCKET: &str = "gcs.bucket.name";
const CREDENTIALS_PATH: &str = "gcs.credentials.path";
const CREDENTIALS_JSON: &str = "gcs.credentials.json";
const CREDENTIALS_DEFAULT: &str = "gcs.credentials.default";
const ENDPOINT: &str = "gcs.endpoint";
const PREFIX: &str = "file.name.prefix";

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
        ("avro.codec", "file.compression.type"),
        ("flush.size", "file.max.records"),
        ("retry.backoff.ms", "kafka.retry.backoff.ms"),
    ]),
    translate,
    without_effect: &[&["flush.size"]],
    prefixes: &["gcs."],
    translated_prefixes: &[],
};

fn keys() -> Vec<ConfigKey> {
    [grouped("GCS", gcs_keys()), file_keys()].concat()
}

fn gcs_keys() -> Vec<ConfigKey> {
    use ConfigType::{Boolean, Password, String};
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
    ]
}

fn translate(translation: &mut Translation<'_>) {
    translate_files(translation, PREFIX);
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
