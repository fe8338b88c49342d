//! `io.confluent.connect.azure.datalake.gen2.AzureDataLakeGen2SinkConnector`.

use url::Url;
use volley_api::{ConfigKey, ConfigType, Importance};

use super::java_sink::JavaSink;
use super::key_names::KeyNames;
use super::partitioner_keys::partitioner_keys;
use super::storage::{translate_format, translate_null_values, translate_storage};
use super::storage_keys::{
    TOPICS_DIR, WITHOUT_EFFECT, compression_keys, grouped, object_keys, parquet_codec_key, storage_keys,
};
use super::translation::Translation;

const ACCOUNT_NAME: &str = "azure.datalake.gen2.account.name";
const ACCESS_KEY: &str = "azure.datalake.gen2.access.key";
const SAS_KEY: &str = "azure.datalake.gen2.sas.key";
const CLIENT_ID: &str = "azure.datalake.gen2.client.id";
const CLIENT_KEY: &str = "azure.datalake.gen2.client.key";
const TOKEN_ENDPOINT: &str = "azure.datalake.gen2.token.endpoint";
const COMPRESSION_TYPE: &str = "az.compression.type";
const COMPRESSION_LEVEL: &str = "az.compression.level";

/// The sink.
pub(crate) const SINK: JavaSink = JavaSink {
    class: "io.confluent.connect.azure.datalake.gen2.AzureDataLakeGen2SinkConnector",
    alias: None,
    documentation: "Writes records to Azure Data Lake Storage Gen2, each exactly once, with the keys, the defaults and the file \
                    names of Confluent's sink for it: the first directory of `topics.dir` is the container. Keys of \
                    ObjectStoreSink may be given too, but for `store.url`.",
    keys,
    names: KeyNames(&[
        ("store.url", TOPICS_DIR),
        ("store.azure.account.name", ACCOUNT_NAME),
        ("store.azure.account.key", ACCESS_KEY),
        ("store.azure.sas.token", SAS_KEY),
        ("store.azure.client.id", CLIENT_ID),
        ("store.azure.client.secret", CLIENT_KEY),
        ("store.azure.tenant.id", TOKEN_ENDPOINT),
        ("file.compression.type", COMPRESSION_TYPE),
        ("file.compression.level", COMPRESSION_LEVEL),
    ]),
    translate,
    without_effect: &[&WITHOUT_EFFECT, &["store.url"]],
    prefixes: &["azure.", "az.", "confluent."],
    translated_prefixes: &[],
};

fn keys() -> Vec<ConfigKey> {
    let formats = "`io.confluent.connect.azure.storage.format.` with `avro.AvroFormat`, `json.JsonFormat`, \
                   `bytearray.ByteArrayFormat` or `parquet.ParquetFormat`";
    let storage = "io.confluent.connect.azure.datalake.gen2.storage.AzureDataLakeGen2Storage";
    [
        grouped("Azure", azure_keys()),
        storage_keys(formats, Some(storage)),
        parquet_codec_key(),
        compression_keys(COMPRESSION_TYPE, COMPRESSION_LEVEL),
        object_keys(),
        partitioner_keys(),
    ]
    .concat()
}

fn azure_keys() -> Vec<ConfigKey> {
    use ConfigType::{Password, String};
    use Importance::High;
    vec![
        ConfigKey::required(ACCOUNT_NAME, String, High, "The storage account."),
        ConfigKey::with_default(ACCESS_KEY, Password, "", High, "Key of the storage account."),
        ConfigKey::with_default(SAS_KEY, Password, "", High, "Shared access signature, in place of the account's key."),
        ConfigKey::with_default(CLIENT_ID, String, "", High, "Client id of a service principal, in place of the key."),
        ConfigKey::with_default(CLIENT_KEY, Password, "", High, "Secret of the service principal."),
        ConfigKey::with_default(
            TOKEN_ENDPOINT,
            String,
            "",
            High,
            "Where the service principal logs in: `https://login.microsoftonline.com/<tenant id>/oauth2/token`.",
        ),
    ]
}

fn translate(translation: &mut Translation<'_>) {
    translate_storage(translation);
    translate_format(translation, (COMPRESSION_TYPE, COMPRESSION_LEVEL));
    translate_null_values(translation);
    let directory = translation.text(TOPICS_DIR).unwrap_or_default().trim_matches('/');
    let (container, inner) = directory.split_once('/').unwrap_or((directory, ""));
    translation.set("store.url", format!("az://{container}"));
    translation.set("topics.dir", inner);
    for (key, target) in [
        (ACCOUNT_NAME, "store.azure.account.name"),
        (ACCESS_KEY, "store.azure.account.key"),
        (SAS_KEY, "store.azure.sas.token"),
        (CLIENT_ID, "store.azure.client.id"),
        (CLIENT_KEY, "store.azure.client.secret"),
    ] {
        translation.copy(key, target);
    }
    if let Some(endpoint) = translation.text(TOKEN_ENDPOINT) {
        match tenant(endpoint) {
            Some(tenant) => translation.set("store.azure.tenant.id", tenant),
            None => translation.refuse(
                TOKEN_ENDPOINT,
                format!("`{TOKEN_ENDPOINT}` is of the form https://login.microsoftonline.com/<tenant id>/oauth2/token"),
            ),
        }
    }
}

/// Of Azure's public cloud; other clouds have other hosts.
fn tenant(endpoint: &str) -> Option<String> {
    let url = Url::parse(endpoint).ok().filter(|url| url.host_str() == Some("login.microsoftonline.com"))?;
    let tenant = url.path_segments()?.next().filter(|tenant| !tenant.is_empty())?;
    Some(tenant.to_owned())
}
