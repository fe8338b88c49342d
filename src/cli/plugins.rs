//! `volley plugins`

use std::path::PathBuf;

use volley_api::{ConfigKey, Plugin};
use volley_java::read_properties;
use volley_worker::plugins::Plugins;
use volley_worker::worker_config::WorkerConfig;
use volley_worker::worker_file::WorkerFile;

use super::Failure;
use super::output::say;
use super::table::Table;
use crate::java_plugins::with_java_plugins;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Show the keys of this plug-in: its class name, or the short form of it
    name: Option<String>,
    /// The worker's configuration, for the Java plug-ins of its plugin.path
    #[arg(long)]
    worker: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments, plugins: Vec<Plugin>) -> Result<(), Failure> {
    let plugins = match &arguments.worker {
        None => Plugins::new(plugins),
        Some(path) => {
            let properties = read_properties(path).map_err(Failure::worker)?;
            let offered = with_java_plugins(plugins, Some(path));
            let WorkerFile { properties, plugins, .. } =
                WorkerFile::open(properties, offered).map_err(Failure::worker)?;
            WorkerConfig::of_either_mode(properties).map_err(Failure::worker)?;
            plugins
        }
    };
    match &arguments.name {
        None => list(&plugins),
        Some(name) => match plugins.find_any(name) {
            Some(plugin) => show(plugin),
            None => return Err(Failure::usage(no_such_plugin("plug-in", name, &plugins.similar(name, |_| true)))),
        },
    }
    Ok(())
}

/// There is no such plug-in, but perhaps a similar one, and a list.
pub(super) fn no_such_plugin(what: &str, name: &str, similar: &[&str]) -> String {
    format!("there is no {what} `{name}`.{} `volley plugins` lists all", similar_names(similar))
}

/// ` Similar: these.`, or nothing.
pub(super) fn similar_names(similar: &[&str]) -> String {
    match similar {
        [] => String::new(),
        names => format!(" Similar: {}.", names.join(", ")),
    }
}

fn list(plugins: &Plugins) {
    let mut table = Table::new(["TYPE", "CLASS", "VERSION", "WHAT IT DOES"]);
    for plugin in plugins.all() {
        table.row([
            &plugin.kind().to_string(),
            &*plugin.class,
            &*plugin.version,
            first_sentence(&plugin.documentation),
        ]);
    }
    table.print();
    say!("\n`volley plugins NAME` shows the keys of one; short names (`FileStreamSink`) do.");
}

fn first_sentence(text: &str) -> &str {
    text.split_once(". ").map_or(text, |(first, _)| first)
}

fn show(plugin: &Plugin) {
    say!("{} ({}, version {})", plugin.class, plugin.kind(), plugin.version);
    if !plugin.aliases.is_empty() {
        say!("also: {}", plugin.aliases.join(", "));
    }
    say!("\n{}\n", plugin.documentation);
    for key in plugin.config_def.keys() {
        show_key(key);
    }
    if plugin.config_def.keys().is_empty() {
        say!("It has no keys of its own.");
    }
}

fn show_key(key: &ConfigKey) {
    let default = match (key.is_required(), key.default_value()) {
        (true, _) => "required".to_owned(),
        (false, None) => "no default".to_owned(),
        (false, Some(default)) => format!("default: {default:?}"),
    };
    say!("{}  ({}, {default}, {})", key.name, key.config_type, key.importance.to_string().to_lowercase());
    for line in wrapped(&key.documentation, 92) {
        say!("    {line}");
    }
}

/// The words of `text` in lines of at most `width` characters, longer words alone on theirs.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is always a line");
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}
