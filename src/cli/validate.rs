//! `volley validate`

use std::path::{Path, PathBuf};
use std::sync::Arc;

use volley_api::{ConfigMap, Plugin, PluginKind};
use volley_java::read_properties;
use volley_worker::connector_file::read_connector_file;
use volley_worker::plugins::Plugins;
use volley_worker::task::told_fields;
use volley_worker::validation::ConnectorValidator;
use volley_worker::worker_config::WorkerConfig;
use volley_worker::worker_file::WorkerFile;

use super::Failure;
use super::connector_class::{check_class, similar_classes};
use super::field_text::field_lines;
use super::output::say;
use super::records_text::printable;
use crate::java_plugins::with_java_plugins;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Connectors to check: properties files, or JSON as POST /connectors takes it
    #[arg(required = true)]
    connectors: Vec<PathBuf>,
    /// The worker's configuration, for its config providers, its override policy and its Java plug-ins
    #[arg(long)]
    worker: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments, plugins: Vec<Plugin>) -> Result<(), Failure> {
    let file = arguments.worker.as_deref();
    let opened = WorkerFile::open(worker_properties(file)?, with_java_plugins(plugins, file));
    let WorkerFile { properties, transformer, plugins } = opened.map_err(Failure::worker)?;
    let worker = WorkerConfig::of_either_mode(properties).map_err(Failure::worker)?;
    let plugins = Arc::new(plugins);
    let known = Arc::clone(&plugins);
    let transformer = Arc::new(transformer);
    let validator =
        ConnectorValidator::of_worker(plugins, Arc::clone(&transformer), &worker).map_err(Failure::worker)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::worker)?;
    let mut wrong = 0;
    for path in &arguments.connectors {
        let connector = read_connector_file(path).map_err(Failure::connector)?;
        check_class(&known, &connector.config.values, path)?;
        let infos = runtime.block_on(validator.validate(&connector.config)).map_err(Failure::connector)?;
        if infos.error_count == 0 {
            let resolved = transformer.resolve(&connector.config.values).map_err(Failure::connector)?;
            match told_output(&known, &resolved, &worker) {
                Ok(lines) => {
                    say!("{}: {} is valid", path.display(), connector.name);
                    infos.remarks.iter().for_each(|remark| say!("  note: {}", printable(remark)));
                    lines.iter().for_each(|line| say!("{line}"));
                }
                Err(error) => {
                    wrong += 1;
                    say!("{}: {} has 1 error(s)", path.display(), connector.name);
                    say!("  transforms: {}", printable(&format!("{error:#}")));
                }
            }
            continue;
        }
        wrong += 1;
        say!("{}: {} has {} error(s)", path.display(), connector.name, infos.error_count);
        for info in &infos.configs {
            for error in &info.value.errors {
                say!("  {}: {error}{}", info.value.name, similar_classes(&known, error));
            }
        }
    }
    if wrong > 0 {
        return Err(Failure::connector(anyhow::anyhow!("{wrong} configuration(s) would be refused")));
    }
    Ok(())
}

/// What the transformations of a sink make of its records, where the converter has a schema before messages come.
fn told_output(plugins: &Plugins, connector: &ConfigMap, worker: &WorkerConfig) -> volley_api::Result<Vec<String>> {
    let class = connector.get("connector.class").map(|class| class.trim()).unwrap_or_default();
    if plugins.of_connector(connector).find_connector(class)?.kind() != PluginKind::Sink {
        return Ok(Vec::new());
    }
    let mut lines = Vec::new();
    for step in told_fields(plugins, connector, worker)? {
        lines.push(format!("  after {}:", step.alias));
        lines.extend(field_lines(&step.fields.value).into_iter().map(|line| format!("    {line}")));
    }
    Ok(lines)
}

/// Those of the file; without one, the least that a worker needs.
fn worker_properties(path: Option<&Path>) -> Result<ConfigMap, Failure> {
    match path {
        Some(path) => read_properties(path).map_err(Failure::worker),
        None => {
            let json = "org.apache.kafka.connect.json.JsonConverter";
            let pairs = [("key.converter", json), ("value.converter", json), ("offset.storage.file.filename", "none")];
            Ok(pairs.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect())
        }
    }
}
