//! How to reach the cluster.

use std::path::PathBuf;

use volley_api::{ConfigMap, Plugin};
use volley_java::read_properties;
use volley_worker::dead_letters::DeadLetterClients;
use volley_worker::worker_config::WorkerConfig;
use volley_worker::worker_file::WorkerFile;

use crate::cli::Failure;
use crate::java_plugins::with_java_config_providers;

#[derive(Debug, clap::Args)]
pub(super) struct Cluster {
    /// Brokers, as host:port[,host:port]; also instead of those that a file names
    #[arg(long, value_name = "SERVERS")]
    bootstrap_server: Option<String>,
    /// The worker's configuration: how its connectors reach the cluster
    #[arg(long, value_name = "FILE", conflicts_with = "command_config")]
    worker_config: Option<PathBuf>,
    /// Settings of a client (security.protocol, …), as Kafka's own tools take them
    #[arg(long, value_name = "FILE")]
    command_config: Option<PathBuf>,
}

impl Cluster {
    /// The settings of the clients.
    pub(super) fn clients(&self, plugins: Vec<Plugin>) -> Result<DeadLetterClients, Failure> {
        let clients = match (&self.worker_config, &self.command_config) {
            (Some(path), _) => {
                let properties = read_properties(path).map_err(Failure::worker)?;
                let opened = WorkerFile::open(properties, with_java_config_providers(plugins, Some(path)));
                let properties = opened.map_err(Failure::worker)?.properties;
                DeadLetterClients::of_worker(&WorkerConfig::of_either_mode(properties).map_err(Failure::worker)?)
            }
            (None, Some(path)) => {
                let properties = read_properties(path).map_err(Failure::worker)?;
                if self.bootstrap_server.is_none() && !properties.contains_key("bootstrap.servers") {
                    let file = path.display();
                    return Err(Failure::usage(format!(
                        "which cluster? give --bootstrap-server, or bootstrap.servers in {file}"
                    )));
                }
                DeadLetterClients::of_client(&properties)
            }
            (None, None) if self.bootstrap_server.is_some() => DeadLetterClients::of_client(&ConfigMap::new()),
            (None, None) => {
                return Err(Failure::usage(
                    "which cluster? give --bootstrap-server, --worker-config or --command-config",
                ));
            }
        };
        Ok(match &self.bootstrap_server {
            Some(servers) => clients.at(servers),
            None => clients,
        })
    }
}
