//! Writes the reference pages in `docs/reference/`, one for each plug-in and one for each set of keys that all share, from
//! the definitions that the program itself works with:
//!
//! ```sh
//! cargo run --example reference_pages            # or: … -- DIRECTORY
//! ```

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use volley::api::{ConfigDef, ConfigKey, ConnectorKind, Plugin, PluginKind, Validator};
use volley::worker::connector_config::{framework_config_def, volley_config_def};
use volley::worker::worker_config::{distributed_config_def, standalone_config_def};

const DIRECTORY: &str = "docs/reference";
const NOTE: &str = "<!-- Written by `cargo run --example reference_pages`: change the definitions, not this page. -->";
const INDEX: &str = "README.md";

fn main() -> Result<()> {
    let directory = std::env::args_os().nth(1).map_or_else(|| PathBuf::from(DIRECTORY), PathBuf::from);
    let pages = pages(volley::builtin_plugins());
    std::fs::create_dir_all(&directory).with_context(|| format!("could not create {}", directory.display()))?;
    remove_stale(&directory, &pages)?;
    for (name, text) in &pages {
        let path = directory.join(name);
        std::fs::write(&path, text).with_context(|| format!("could not write {}", path.display()))?;
    }
    println!("{} pages in {}", pages.len(), directory.display());
    Ok(())
}

/// Pages of plug-ins that are no more; only pages that this program wrote.
fn remove_stale(directory: &Path, pages: &BTreeMap<String, String>) -> Result<()> {
    for entry in directory.read_dir()? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let is_ours = name.ends_with(".md") && std::fs::read_to_string(&path).is_ok_and(|text| text.starts_with(NOTE));
        if is_ours && !pages.contains_key(name) {
            std::fs::remove_file(&path).with_context(|| format!("could not remove {}", path.display()))?;
        }
    }
    Ok(())
}

/// All pages by file name.
fn pages(plugins: Vec<Plugin>) -> BTreeMap<String, String> {
    let mut by_name: BTreeMap<&str, Vec<&Plugin>> = BTreeMap::new();
    for plugin in &plugins {
        by_name.entry(simple_name(plugin)).or_default().push(plugin);
    }
    let mut pages: BTreeMap<String, String> =
        by_name.iter().map(|(name, plugins)| (format!("{name}.md"), plugin_page(name, plugins))).collect();
    for shared in shared_pages() {
        pages.insert(shared.file.to_owned(), shared.page());
    }
    pages.insert(INDEX.to_owned(), index_page(&by_name));
    pages
}

/// What follows the package, without a side. A converter and a header converter may share it, or the two sides of a
/// transformation, and then they share a page.
fn simple_name(plugin: &Plugin) -> &str {
    let name = plugin.class.rsplit('.').next().unwrap_or(&plugin.class);
    let outer = name.split('$').next().unwrap_or(name);
    if name.ends_with("$Key") || name.ends_with("$Value") { outer } else { name.rsplit('$').next().unwrap_or(name) }
}

fn plugin_page(name: &str, plugins: &[&Plugin]) -> String {
    let mut page = format!("{NOTE}\n\n# {name}\n");
    let mut written = None;
    for plugin in plugins {
        let _ = write!(page, "\n{}\n\n{}\n", plugin.documentation, names(plugin));
        let table = keys(&plugin.config_def);
        match &written {
            _ if table.is_empty() => page.push_str("\nIt has no keys of its own.\n"),
            Some(above) if *above == table => page.push_str("\nIt has the keys above.\n"),
            _ => page.push_str(&table),
        }
        if let Some(more) = more_keys(plugin.kind()) {
            let _ = write!(page, "\n{more}\n");
        }
        written = Some(table);
    }
    page
}

/// What it is called in a configuration.
fn names(plugin: &Plugin) -> String {
    let class = format!("A {}: `{}={}`", kind_name(plugin.kind()), class_key(plugin.kind()), plugin.class);
    let aliases: Vec<String> = plugin.aliases.iter().map(|alias| format!("`{alias}`")).collect();
    match aliases.is_empty() {
        true => format!("{class}."),
        false => format!("{class}, or {}.", aliases.join(", ")),
    }
}

fn kind_name(kind: PluginKind) -> &'static str {
    match kind {
        PluginKind::Sink => "sink connector",
        PluginKind::Source => "source connector",
        PluginKind::Transformation => "transformation",
        PluginKind::Predicate => "predicate",
        PluginKind::Converter => "converter",
        PluginKind::HeaderConverter => "header converter",
        PluginKind::ConfigProvider => "config provider",
        PluginKind::Extension => "extension",
    }
}

/// The key that names a plug-in of this kind.
fn class_key(kind: PluginKind) -> &'static str {
    match kind {
        PluginKind::Sink | PluginKind::Source => "connector.class",
        PluginKind::Transformation => "transforms.<alias>.type",
        PluginKind::Predicate => "predicates.<alias>.type",
        PluginKind::Converter => "value.converter",
        PluginKind::HeaderConverter => "header.converter",
        PluginKind::ConfigProvider => "config.providers.<name>.class",
        PluginKind::Extension => "(named by the plug-in that it extends)",
    }
}

/// Where keys stand that are not on the page, and with which prefix those that are.
fn more_keys(kind: PluginKind) -> Option<&'static str> {
    match kind {
        PluginKind::Sink => Some("All sinks have the [keys of sink connectors](sink-connectors.md) too."),
        PluginKind::Source => Some("All sources have the [keys of source connectors](source-connectors.md) too."),
        PluginKind::Transformation => Some(
            "In a connector's configuration the keys stand under `transforms.<alias>.`; `transforms.<alias>.predicate` and \
             `transforms.<alias>.negate` say which records are transformed.",
        ),
        PluginKind::Predicate => Some("In a connector's configuration the keys stand under `predicates.<alias>.`."),
        PluginKind::Converter => Some(
            "The keys stand under `value.converter.` or `key.converter.`, in the worker's or in a connector's configuration; \
             in a connector's they count only beside `value.converter` or `key.converter` itself.",
        ),
        PluginKind::HeaderConverter => Some("The keys stand under `header.converter.`."),
        PluginKind::ConfigProvider => {
            Some("The keys stand under `config.providers.<name>.param.` in the worker's file.")
        }
        PluginKind::Extension => None,
    }
}

/// Keys, under a heading for each group where there are groups.
fn keys(def: &ConfigDef) -> String {
    let mut groups: Vec<(Option<&str>, Vec<&ConfigKey>)> = Vec::new();
    for key in def.keys() {
        let group = key.group.as_deref();
        match groups.iter_mut().find(|(name, _)| *name == group) {
            Some((_, keys)) => keys.push(key),
            None => groups.push((group, vec![key])),
        }
    }
    let mut text = String::new();
    for (group, keys) in groups {
        if let Some(group) = group {
            let _ = write!(text, "\n## {group}\n");
        }
        text.push_str("\n| key | type | default | importance | meaning |\n|---|---|---|---|---|\n");
        for key in keys {
            text.push_str(&row(key));
        }
    }
    text
}

fn row(key: &ConfigKey) -> String {
    let default = match key.default_value() {
        _ if key.is_required() => "**required**".to_owned(),
        None => "–".to_owned(),
        Some("") => "empty".to_owned(),
        Some(default) => format!("`{}`", cell(default)),
    };
    let limits = limits(key).map(|limits| format!(" {limits}")).unwrap_or_default();
    let [kind, importance] = [key.config_type.to_string(), key.importance.to_string()].map(|text| text.to_lowercase());
    format!("| `{}` | {kind} | {default} | {importance} | {}{limits} |\n", cell(&key.name), html(&key.documentation))
}

/// What a value must be, where the definition knows it as data.
fn limits(key: &ConfigKey) -> Option<String> {
    match key.validator.as_ref()? {
        Validator::AtLeast(min) => Some(format!("At least {min}.")),
        Validator::Between(min, max) => Some(format!("From {min} to {max}.")),
        Validator::OneOf(values) => Some(format!("One of {}.", listed(values))),
        Validator::OneOfIgnoreCase(values) => Some(format!("One of {}, in any case.", listed(values))),
        Validator::DistinctItems => Some("No item twice.".to_owned()),
        Validator::NonEmpty | Validator::Custom(_) => None,
    }
}

fn listed(values: &[String]) -> String {
    values.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", ")
}

/// Text in a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

/// Text in a cell, `<name>` outside of code marks not taken for HTML.
fn html(text: &str) -> String {
    let parts = cell(text);
    let parts = parts.split('`').enumerate();
    let escaped = parts.map(|(place, part)| if place % 2 == 0 { part.replace('<', "&lt;") } else { part.to_owned() });
    escaped.collect::<Vec<_>>().join("`")
}

/// Keys that are no plug-in's own.
struct SharedPage {
    file: &'static str,
    title: &'static str,
    about: &'static str,
    defs: Vec<ConfigDef>,
}

impl SharedPage {
    fn page(&self) -> String {
        let tables: String = self.defs.iter().map(keys).collect();
        format!("{NOTE}\n\n# {}\n\n{}\n{tables}", self.title, self.about)
    }
}

fn shared_pages() -> Vec<SharedPage> {
    let connector = |kind| vec![framework_config_def(kind), volley_config_def(kind)];
    vec![
        SharedPage {
            file: "sink-connectors.md",
            title: "Keys of sink connectors",
            about: "Every sink connector has these keys, whatever its class. Client settings stand under \
                    `consumer.override.`, and for the dead letter topic under `producer.override.` and `admin.override.`.",
            defs: connector(ConnectorKind::Sink),
        },
        SharedPage {
            file: "source-connectors.md",
            title: "Keys of source connectors",
            about: "Every source connector has these keys, whatever its class. Client settings stand under \
                    `producer.override.`.",
            defs: connector(ConnectorKind::Source),
        },
        SharedPage {
            file: "worker.md",
            title: "Keys of a standalone worker",
            about: "What stands in the worker's property file. Client settings stand under `consumer.`, `producer.` and \
                    `admin.`; those of admin clients may stand without prefix.",
            defs: vec![standalone_config_def()],
        },
        SharedPage {
            file: "distributed-worker.md",
            title: "Keys of a distributed worker",
            about: "What stands in the worker's property file. Client settings stand under `consumer.`, `producer.` and \
                    `admin.`; those of admin clients and of the worker itself stand without prefix, and so do all `ssl.` and \
                    `sasl.` keys. Further keys under `config.storage.`, `offset.storage.` and `status.storage.` are the \
                    configuration of these topics where they are created.",
            defs: vec![distributed_config_def()],
        },
    ]
}

fn index_page(by_name: &BTreeMap<&str, Vec<&Plugin>>) -> String {
    const KINDS: [PluginKind; 7] = [
        PluginKind::Sink,
        PluginKind::Source,
        PluginKind::Transformation,
        PluginKind::Predicate,
        PluginKind::Converter,
        PluginKind::HeaderConverter,
        PluginKind::ConfigProvider,
    ];
    let mut page = format!("{NOTE}\n\n# Reference\n\n");
    for shared in shared_pages() {
        let _ = writeln!(page, "* [{}]({})", shared.title, shared.file);
    }
    for kind in KINDS {
        let plugins = by_name.iter().flat_map(|(name, plugins)| plugins.iter().map(move |plugin| (name, plugin)));
        let mut of_kind = plugins.filter(|(_, plugin)| plugin.kind() == kind).peekable();
        if of_kind.peek().is_none() {
            continue;
        }
        let title = kind_name(kind);
        let (first, rest) = title.split_at(1);
        let _ = write!(page, "\n## {}{rest}s\n\n| name | what it does |\n|---|---|\n", first.to_uppercase());
        for (name, plugin) in of_kind {
            let _ = writeln!(page, "| [{name}]({name}.md) | {} |", html(&plugin.documentation));
        }
    }
    page
}
