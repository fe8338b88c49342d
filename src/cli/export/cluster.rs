//! The worker's configuration of an export, and a look at the cluster before it begins.

use volley_api::ConfigMap;
use volley_java::read_properties;
use volley_kafka::{Admin, ClientRole, check_bootstrap_servers};
use volley_worker::plugins::OfferedPlugins;
use volley_worker::worker_config::WorkerConfig;
use volley_worker::worker_file::WorkerFile;

use super::arguments::Arguments;
use super::connector::ExportConnector;
use crate::cli::Failure;

/// Keys of a worker's configuration that are for a worker that others ask, or that is one of a group.
const NOT_HERE: [&str; 7] =
    ["listeners", "admin.listeners", "rest.", "group.id", "config.storage.", "offset.storage.", "status.storage."];

/// How long the cluster may take to answer at the beginning.
const ANSWER_MS: &str = "15000";

/// How long the group waits for an export that was killed, before the same one may go on.
const SESSION_MS: &str = "10000";

/// The properties of a worker for this export alone.
pub(super) fn worker_properties(arguments: &Arguments) -> Result<ConfigMap, Failure> {
    let mut properties = match &arguments.worker_config {
        Some(path) => read_properties(path).map_err(Failure::worker)?,
        None => ConfigMap::new(),
    };
    properties.retain(|key, _| !NOT_HERE.iter().any(|other| key.starts_with(other)));
    let json = "org.apache.kafka.connect.json.JsonConverter";
    // A sink has no offsets of its own: this file is never written.
    let offsets = std::env::temp_dir().join(format!("volley-export-{}.offsets", std::process::id()));
    let defaults = [("key.converter", json), ("value.converter", json), ("consumer.session.timeout.ms", SESSION_MS)];
    for (key, value) in defaults {
        properties.entry(key.to_owned()).or_insert_with(|| value.to_owned());
    }
    properties.insert("listeners".to_owned(), "http://127.0.0.1:0".to_owned());
    properties.insert("offset.storage.file.filename".to_owned(), offsets.display().to_string());
    match &arguments.bootstrap_servers {
        Some(servers) => drop(properties.insert("bootstrap.servers".to_owned(), servers.clone())),
        None if properties.contains_key("bootstrap.servers") => {}
        None => return Err(Failure::usage("which cluster? give --bootstrap-servers or --worker-config")),
    }
    Ok(properties)
}

/// Checks that the cluster answers and has the topics. Returns of how many partitions the export has been at work before.
pub(super) fn partitions_begun(
    properties: &ConfigMap,
    plugins: OfferedPlugins,
    export: &ExportConnector,
) -> Result<usize, Failure> {
    let opened = WorkerFile::open(properties.clone(), plugins).map_err(Failure::worker)?;
    let WorkerFile { properties, transformer, .. } = opened;
    let worker = WorkerConfig::standalone(properties).map_err(Failure::worker)?;
    let config = transformer.resolve(&export.config).map_err(Failure::connector)?;
    let mut client = worker.consumer_properties(&config, &export.name, 0);
    client.entry("default.api.timeout.ms".to_owned()).or_insert_with(|| ANSWER_MS.to_owned());
    check_bootstrap_servers(&client, ClientRole::Consumer).map_err(Failure::worker)?;
    let admin = Admin::connect(&client).map_err(Failure::worker)?;
    let topics: Vec<_> = config.get("topics").into_iter().flat_map(|topics| topics.split(',')).map(str::trim).collect();
    for topic in topics.iter().filter(|topic| !topic.is_empty()) {
        if admin.topic(topic).map_err(Failure::connector)?.is_none() {
            let servers = worker.bootstrap_servers();
            return Err(Failure::connector(anyhow::anyhow!("there is no topic `{topic}` at {servers}")));
        }
    }
    let group = client.get("group.id").cloned().unwrap_or_default();
    let committed = admin.group_offsets(&group).map_err(Failure::connector)?;
    Ok(committed.keys().filter(|partition| topics.contains(&&*partition.topic)).count())
}
