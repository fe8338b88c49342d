//! `io.confluent.connect.hdfs.HdfsSinkConnector` and `io.confluent.connect.hdfs3.Hdfs3SinkConnector`.

use volley_api::ConfigKey;

use super::file_format::FileFormat;
use super::hdfs_keys::{
    CONF_DIR, HDFS_URL, HDFS_WITHOUT_EFFECT, HIVE_INTEGRATION, KERBEROS, KEYTAB, LOGS_DIR, NAME_NODE_PRINCIPAL,
    PRINCIPAL, STORE_URL, hdfs_keys, hive_keys,
};
use super::java_sink::JavaSink;
use super::key_names::KeyNames;
use super::partitioner_keys::partitioner_keys;
use super::storage::{format, translate_storage};
use super::storage_keys::{FILE_DELIM, FORMAT_CLASS, TOPICS_DIR, WITHOUT_EFFECT, storage_keys};
use super::translation::Translation;

const EXTENSION: &str = "file.extension";
/// Stands in the names of Java's files, whatever `file.delim` says.
const DELIMITER: &str = "+";

const NAMES: KeyNames = KeyNames(&[
    ("store.hdfs.conf.dir", CONF_DIR),
    ("store.hdfs.kerberos.principal", PRINCIPAL),
    ("store.hdfs.kerberos.keytab", KEYTAB),
    ("store.hdfs.config.dfs.namenode.kerberos.principal", NAME_NODE_PRINCIPAL),
]);

/// The sink for Hadoop 2.
pub(crate) const HDFS_2: JavaSink = JavaSink {
    class: "io.confluent.connect.hdfs.HdfsSinkConnector",
    alias: None,
    documentation: "Writes records to HDFS, each exactly once, with the keys and the defaults of Confluent's HDFS 2 sink, \
                    whose files it goes on with. Keys of ObjectStoreSink may be given too.",
    keys: hdfs_2_keys,
    names: NAMES,
    translate,
    without_effect: &[&WITHOUT_EFFECT, &HDFS_WITHOUT_EFFECT],
    prefixes: &["hdfs.", "hive.", "hadoop.", "connect.hdfs.", "confluent."],
    translated_prefixes: &[],
};

/// The sink for Hadoop 3, which has the same keys.
pub(crate) const HDFS_3: JavaSink = JavaSink {
    class: "io.confluent.connect.hdfs3.Hdfs3SinkConnector",
    documentation: "Writes records to HDFS, each exactly once, with the keys and the defaults of Confluent's HDFS 3 sink, \
                    whose files it goes on with. Keys of ObjectStoreSink may be given too.",
    keys: hdfs_3_keys,
    ..HDFS_2
};

fn hdfs_2_keys() -> Vec<ConfigKey> {
    keys("io.confluent.connect.hdfs", "io.confluent.connect.hdfs.storage.HdfsStorage")
}

fn hdfs_3_keys() -> Vec<ConfigKey> {
    keys("io.confluent.connect.hdfs3", "io.confluent.connect.hdfs3.storage.HdfsStorage")
}

fn keys(package: &str, storage: &str) -> Vec<ConfigKey> {
    let formats = format!(
        "`{package}.` with `avro.AvroFormat`, `json.JsonFormat`, `parquet.ParquetFormat` or `string.StringFormat`"
    );
    let format = format!("{package}.avro.AvroFormat");
    let storage = storage_keys(&formats, Some(storage)).into_iter().map(|key| match key.name.as_str() {
        FORMAT_CLASS => key.defaulting_to(Some(&format)),
        _ => key,
    });
    [hdfs_keys(), storage.collect(), hive_keys(), partitioner_keys()].concat()
}

fn translate(translation: &mut Translation<'_>) {
    translate_storage(translation);
    translate_format(translation);
    match translation.text(STORE_URL).or_else(|| translation.text(HDFS_URL)) {
        Some(url) => {
            translation.set("store.url", url);
            translate_names(translation, url);
        }
        None => translation
            .refuse(STORE_URL, format!("`{STORE_URL}` or `{HDFS_URL}` is needed, such as hdfs://namenode:8020")),
    }
    if translation.text(TOPICS_DIR).is_some_and(|directory| directory.contains("${")) {
        let message =
            format!("`{TOPICS_DIR}` with variables is not offered by this sink: write the directory as it is");
        translation.refuse(TOPICS_DIR, message);
    }
    translation.copy(CONF_DIR, "store.hdfs.conf.dir");
    if translation.boolean(KERBEROS) {
        translate_kerberos(translation);
    }
    if translation.boolean(HIVE_INTEGRATION) {
        translation
            .remark(format!("`{HIVE_INTEGRATION}`: neither tables nor partitions are registered in Hive by this sink"));
    }
}

/// Names of files have their last offset, in which Java's sink finds its place again. Object stores have no renames to
/// do that safely.
fn translate_names(translation: &mut Translation<'_>, url: &str) {
    let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
    if !["hdfs", "viewfs", "file"].contains(&scheme) {
        return translation.remark(format!(
            "in `{scheme}:` names of files have no last offset: this export cannot be given back to Java's sink"
        ));
    }
    if translation.given("file.name.template").is_some() {
        // names of the user's own
        return;
    }
    translation.set("file.name.last.offset", "true");
    translation.set(FILE_DELIM, DELIMITER);
    if translation.given(FILE_DELIM).is_some_and(|delimiter| delimiter != DELIMITER) {
        translation.remark(format!("`{FILE_DELIM}` has no effect, as in Java: names of files have `{DELIMITER}`"));
    }
    match translation.text(LOGS_DIR) {
        Some(logs_dir) if logs_dir.replace("${topic}", "").contains("${") => translation.remark(format!(
            "`{LOGS_DIR}` with parts of topic names is not looked into: stop Java's sink in order before it is taken over"
        )),
        Some(logs_dir) => translation.set("java.logs.dir", logs_dir),
        None => {}
    }
}

/// The extensions are those of Confluent's sinks for HDFS, which do not name the codec.
fn translate_format(translation: &mut Translation<'_>) {
    let Some(format) = format(translation) else { return };
    translation.set("format.class", format.name());
    let extension = match format {
        FileFormat::Avro => ".avro",
        FileFormat::Json => ".json",
        FileFormat::String => ".txt",
        FileFormat::ByteArray => ".bin",
        FileFormat::Parquet => ".parquet",
    };
    translation.set(EXTENSION, extension);
    if format == FileFormat::Parquet {
        translation.set("parquet.codec", "snappy");
    }
}

fn translate_kerberos(translation: &mut Translation<'_>) {
    for key in [PRINCIPAL, KEYTAB] {
        if translation.text(key).is_none() {
            translation.refuse(key, format!("`{key}` is needed where `{KERBEROS}` is true"));
        }
    }
    if translation.text(PRINCIPAL).is_some_and(|principal| principal.contains("_HOST")) {
        translation.refuse(
            PRINCIPAL,
            format!("`{PRINCIPAL}` with _HOST is not offered by this sink: write the principal as it is"),
        );
    }
    translation.copy(PRINCIPAL, "store.hdfs.kerberos.principal");
    translation.copy(KEYTAB, "store.hdfs.kerberos.keytab");
    translation.copy(NAME_NODE_PRINCIPAL, "store.hdfs.config.dfs.namenode.kerberos.principal");
}
