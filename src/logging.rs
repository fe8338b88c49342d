//! The log: readable by a person, or JSON lines; to stderr, so that what a command prints can be piped.

use std::collections::BTreeMap;
use std::io::{IsTerminal, stderr};
use std::sync::Arc;

use clap::ValueEnum;
use tracing_subscriber::fmt::time::ChronoLocal;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt, reload};
use volley_worker::loggers::LogLevels;

/// Form of the log.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum LogFormat {
    /// One line an event, for people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Libraries whose chatter is of no interest to a user.
const QUIET: &str = "rdkafka=off,tansu_broker=off,tansu_storage=off,tansu_service=off,tansu_sans_io=off,tansu_schema=off,\
                     tansu_auth=off,rama=off,datafusion=warn,hyper=warn,hyper_util=warn,reqwest=warn,object_store=warn";

/// Volley's own loggers: its crates.
const LOGGERS: [&str; 10] = [
    "volley",
    "volley_api",
    "volley_converters",
    "volley_jvm",
    "volley_kafka",
    "volley_local_connectors",
    "volley_object_store",
    "volley_sql",
    "volley_transforms",
    "volley_worker",
];

/// Java packages that users know from Kafka Connect, and what does here what they do there. A level for one of them, or for
/// one above it, is one for that too.
const JAVA_PACKAGES: [(&str, &str); 12] = [
    ("org.apache.kafka.clients", "volley_kafka"),
    ("org.apache.kafka.clients", "librdkafka"),
    ("org.apache.kafka.connect.converters", "volley_converters"),
    ("org.apache.kafka.connect.file", "volley_local_connectors::file_stream"),
    ("org.apache.kafka.connect.json", "volley_converters"),
    ("org.apache.kafka.connect.runtime", "volley_worker"),
    ("org.apache.kafka.connect.runtime.distributed", "volley_worker::group"),
    ("org.apache.kafka.connect.runtime.distributed", "volley_worker::herder"),
    ("org.apache.kafka.connect.runtime.rest", "volley_worker::rest"),
    ("org.apache.kafka.connect.storage", "volley_worker::storage"),
    ("org.apache.kafka.connect.tools", "volley_local_connectors::tools"),
    ("org.apache.kafka.connect.transforms", "volley_transforms"),
];

/// Starts logging at `level`, which `RUST_LOG` overrides. The levels can be changed by what is returned.
pub(crate) fn start(format: LogFormat, level: &str) -> Arc<dyn LogLevels> {
    let given = EnvFilter::try_from_default_env().ok();
    let root = match &given {
        Some(filter) => {
            filter.max_level_hint().map_or_else(|| "ALL".to_owned(), |hint| hint.to_string().to_uppercase())
        }
        None => level.to_uppercase(),
    };
    let filter = given.unwrap_or_else(|| EnvFilter::new(format!("{level},{QUIET}")));
    let (filter, handle) = reload::Layer::new(filter);
    let layer = fmt::layer().with_writer(stderr);
    let layer = match format {
        LogFormat::Text => layer
            .with_timer(ChronoLocal::new("%Y-%m-%d %H:%M:%S%.3f".to_owned()))
            .with_ansi(stderr().is_terminal())
            .with_target(false)
            .boxed(),
        LogFormat::Json => layer.json().flatten_event(true).boxed(),
    };
    // a second start, which only tests do, keeps the first log
    let _ = tracing_subscriber::registry().with(filter).with(layer).try_init();
    Arc::new(Reload { root, apply: move |filter| drop(handle.reload(filter)) })
}

struct Reload<F> {
    root: String,
    apply: F,
}

impl<F: Fn(EnvFilter) + Send + Sync> LogLevels for Reload<F> {
    fn initial(&self) -> BTreeMap<String, String> {
        let loggers = LOGGERS.iter().chain(&["root"]);
        loggers.map(|logger| ((*logger).to_owned(), self.root.clone())).collect()
    }

    fn apply(&self, levels: &BTreeMap<String, String>) {
        match EnvFilter::try_new(format!("{QUIET},{}", directives(levels))) {
            Ok(filter) => (self.apply)(filter),
            Err(error) => tracing::warn!(%error, "log levels were not changed"),
        }
    }
}

/// What a filter of these levels is written as. Of two levels for one module the one that stands later counts, which is the
/// one with the longer Java name.
fn directives(levels: &BTreeMap<String, String>) -> String {
    let mut directives = Vec::new();
    for (logger, level) in levels {
        let level = filter_level(level);
        if logger == "root" {
            directives.push(level.to_owned());
            continue;
        }
        let is_below = |package: &str| {
            package.strip_prefix(logger.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let modules = JAVA_PACKAGES.iter().filter(|(package, _)| is_below(package)).map(|(_, module)| *module);
        directives.extend(modules.map(|module| format!("{module}={level}")));
        directives.push(format!("{}={level}", logger.replace('.', "::")));
    }
    // what comes from Java has been through the levels of its own loggers, which are set there
    directives.push("java=trace".to_owned());
    directives.join(",")
}

/// The name that the filter has for one of Kafka Connect's levels.
fn filter_level(level: &str) -> &'static str {
    match level {
        "OFF" => "off",
        "FATAL" | "ERROR" => "error",
        "WARN" => "warn",
        "DEBUG" => "debug",
        "TRACE" | "ALL" => "trace",
        _ => "info",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directives_of(levels: &[(&str, &str)]) -> String {
        directives(&levels.iter().map(|(logger, level)| ((*logger).to_owned(), (*level).to_owned())).collect())
    }

    #[test]
    fn dots_become_paths_and_root_is_everything_else() {
        let levels = [("root", "WARN"), ("volley_worker.rest", "ALL"), ("x", "FATAL")];
        assert_eq!(directives_of(&levels), "warn,volley_worker::rest=trace,x=error,java=trace");
    }

    #[test]
    fn a_java_package_stands_for_what_does_its_work_here() {
        let directives = directives_of(&[
            ("org.apache.kafka.connect.runtime", "DEBUG"),
            ("org.apache.kafka.connect.runtime.rest", "WARN"),
        ]);
        let directives: Vec<_> = directives.split(',').collect();
        assert!(directives.contains(&"volley_worker=debug"), "{directives:?}");
        let rest: Vec<_> =
            directives.iter().filter(|directive| directive.starts_with("volley_worker::rest=")).collect();
        assert_eq!(rest.last(), Some(&&"volley_worker::rest=warn"));
        assert!(!directives_of(&[("org.apache.kafka.cli", "DEBUG")]).contains("volley"));
    }
}
