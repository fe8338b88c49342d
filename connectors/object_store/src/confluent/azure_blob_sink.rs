//! `io.confluent.connect.azure.blob.AzureBlobStorageSinkConnector`.

use volley_api::{ConfigKey, ConfigType, Importance, Validator};

use super::java_sink::JavaSink;
use super::key_names::KeyNames;
use super::partitioner_keys::partitioner_keys;
use super::storage::{translate_format, translate_null_values, translate_storage};
use super::storage_keys::{WITHOUT_EFFECT, compression_keys, grouped, object_keys, parquet_codec_key, storage_keys};
use super::translation::Translation;

const ACCOUNT_NAME: &str = "azblob.account.name";
const ACCOUNT_KEY: &str = "azblob.account.key";
const SAS_TOKEN: &str = "azblob.sas.token";
const CONTAINER: &str = "azblob.container.name";
const COMPRESSION_TYPE: &str = "az.compression.type";
const COMPRESSION_LEVEL: &str = "az.compression.level";
const PROXY_URL: &str = "azblob.proxy.url";
const PROXY_USER: &str = "azblob.proxy.user";
const PROXY_PASSWORD: &str = "azblob.proxy.password";

/// The sink.
pub(crate) const SINK: JavaSink = JavaSink {
    class: "io.confluent.connect.azure.blob.AzureBlobStorageSinkConnector",
    alias: None,
    documentation: "Writes records to Azure Blob Storage, each exactly once, with the keys, the defaults and the file names of \
                    Confluent's sink for it. Keys of ObjectStoreSink may be given too, but for `store.url`.",
    keys,
    names: KeyNames(&[
        ("store.url", CONTAINER),
        ("store.azure.account.name", ACCOUNT_NAME),
        ("store.azure.account.key", ACCOUNT_KEY),
        ("store.azure.sas.token", SAS_TOKEN),
        ("store.proxy.url", PROXY_URL),
        ("store.proxy.user", PROXY_USER),
        ("store.proxy.password", PROXY_PASSWORD),
        ("file.compression.type", COMPRESSION_TYPE),
        ("file.compression.level", COMPRESSION_LEVEL),
    ]),
    translate,
    without_effect: &[
        &WITHOUT_EFFECT,
        &[
            "azblob.block.size",
            "azblob.retry.type",
            "azblob.retry.retries",
            "azblob.retry.backoff.ms",
            "azblob.retry.max.backoff.ms",
            "azblob.connection.timeout.ms",
            "store.url",
        ],
    ],
    prefixes: &["azblob.", "az.", "confluent."],
    translated_prefixes: &[],
};

fn keys() -> Vec<ConfigKey> {
    let formats = "`io.confluent.connect.azure.blob.format.` with `avro.AvroFormat`, `json.JsonFormat`, \
                   `bytearray.ByteArrayFormat` or `parquet.ParquetFormat`";
    [
        grouped("Azure", azure_keys()),
        storage_keys(formats, Some("io.confluent.connect.azure.blob.storage.AzureBlobStorage")),
        parquet_codec_key(),
        compression_keys(COMPRESSION_TYPE, COMPRESSION_LEVEL),
        object_keys(),
        partitioner_keys(),
    ]
    .concat()
}

fn azure_keys() -> Vec<ConfigKey> {
    use ConfigType::{Int, Long, Password, String};
    use Importance::{High, Low, Medium};
    let ignored = "No effect: files are written at once when they are complete.";
    let retry = "No effect: see `retry.backoff.ms` and `retry.timeout.ms`.";
    vec![
        ConfigKey::required(ACCOUNT_NAME, String, High, "The storage account."),
        ConfigKey::with_default(ACCOUNT_KEY, Password, "", High, "Key of the storage account."),
        ConfigKey::with_default(
            SAS_TOKEN,
            Password,
            "",
            High,
            "Shared access signature, in place of the account's key.",
        ),
        ConfigKey::with_default(CONTAINER, String, "default", Medium, "The container. It must exist."),
        ConfigKey::with_default("azblob.block.size", Int, "26214400", High, ignored)
            .validated(Validator::Between(5 << 20, 100 << 20)),
        ConfigKey::with_default("azblob.retry.type", String, "EXPONENTIAL", Low, retry)
            .validated(Validator::one_of_ignore_case(["EXPONENTIAL", "FIXED"])),
        ConfigKey::with_default("azblob.retry.retries", Int, "3", Medium, retry),
        ConfigKey::with_default("azblob.retry.backoff.ms", Long, "4000", Low, retry),
        ConfigKey::with_default("azblob.retry.max.backoff.ms", Long, "120000", Low, retry),
        ConfigKey::with_default(
            "azblob.connection.timeout.ms",
            Long,
            "30000",
            Medium,
            "No effect: see `store.request.timeout.ms`.",
        ),
        ConfigKey::with_default(PROXY_URL, String, "", Low, "URL of the proxy, such as `http://proxy:3128`."),
        ConfigKey::with_default(PROXY_USER, String, "", Low, "User at the proxy."),
        ConfigKey::with_default(PROXY_PASSWORD, Password, "", Low, "Password of the user at the proxy."),
    ]
}

fn translate(translation: &mut Translation<'_>) {
    translate_storage(translation);
    translate_format(translation, (COMPRESSION_TYPE, COMPRESSION_LEVEL));
    translate_null_values(translation);
    let container = translation.text(CONTAINER).unwrap_or_default();
    translation.set("store.url", format!("az://{container}"));
    if container.contains('/') {
        translation.refuse(CONTAINER, format!("`{CONTAINER}` is the name of a container, without `/`"));
    }
    for (key, target) in [
        (ACCOUNT_NAME, "store.azure.account.name"),
        (ACCOUNT_KEY, "store.azure.account.key"),
        (SAS_TOKEN, "store.azure.sas.token"),
        (PROXY_URL, "store.proxy.url"),
        (PROXY_USER, "store.proxy.user"),
        (PROXY_PASSWORD, "store.proxy.password"),
    ] {
        translation.copy(key, target);
    }
}
