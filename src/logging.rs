//! The log: readable by a person, or JSON lines; to stderr, so that what a command prints can be piped.

use std::collections::BTreeMap;
use std::io::{IsTerminal, stderr};
use std::sync::Arc;

use clap::ValueEnum;
use tracing_subscriber::fmt::time::ChronoLocal;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt, reload};
use volley_worker::rest::LogLevels;

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
const QUIET: &str = "tansu_broker=off,tansu_storage=off,tansu_service=off,tansu_sans_io=off,tansu_schema=off,\
                     tansu_auth=off,rama=off,datafusion=warn,hyper=warn,hyper_util=warn,reqwest=warn,object_store=warn";

/// Starts logging at `level`, which `RUST_LOG` overrides. The levels can be changed by what is returned.
pub(crate) fn start(format: LogFormat, level: &str) -> Arc<dyn LogLevels> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(format!("{level},{QUIET}")));
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
    Arc::new(Reload(move |filter| drop(handle.reload(filter))))
}

struct Reload<F>(F);

impl<F: Fn(EnvFilter) + Send + Sync> LogLevels for Reload<F> {
    fn apply(&self, levels: &BTreeMap<String, String>) {
        let directives = levels.iter().map(|(logger, level)| {
            let level = filter_level(level);
            if logger == "root" { level.to_owned() } else { format!("{}={level}", logger.replace('.', "::")) }
        });
        let directives: Vec<String> = directives.collect();
        match EnvFilter::try_new(format!("{QUIET},{}", directives.join(","))) {
            Ok(filter) => (self.0)(filter),
            Err(error) => tracing::warn!(%error, "log levels were not changed"),
        }
    }
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
