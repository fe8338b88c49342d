//! The command line.

mod completions;
mod connector_class;
mod distributed;
mod dlq;
#[cfg(feature = "object-store")]
mod export;
mod field_text;
#[cfg(feature = "object-store")]
mod number_text;
mod output;
mod plugins;
mod preview;
#[cfg(feature = "embedded-broker")]
mod quickstart;
mod records_text;
mod signals;
mod standalone;
mod table;
mod validate;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use volley_api::Plugin;

use crate::builtin_plugins;
use crate::logging::{self, LogFormat};

/// The command line could not be understood (as Kafka's scripts have it).
const EXIT_USAGE: u8 = 1;
/// The worker's configuration is wrong, or it could not start.
const EXIT_WORKER: u8 = 2;
/// A connector given on the command line could not be created, or failed before it was done.
const EXIT_CONNECTOR: u8 = 3;

/// Kafka Connect on Apache Arrow: moves data between Kafka and files, object stores and databases.
#[derive(Debug, Parser)]
#[command(name = "volley", version, arg_required_else_help = true, max_term_width = 100)]
struct Cli {
    /// Form of the log on stderr; RUST_LOG sets what is logged (default: info)
    #[arg(long, value_enum, default_value_t, global = true, env = "VOLLEY_LOG_FORMAT")]
    log_format: LogFormat,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// See it work: an embedded broker, a million orders, SQL, Parquet files
    #[cfg(feature = "embedded-broker")]
    Quickstart(quickstart::Arguments),
    /// Run a standalone worker with the given connectors
    Standalone(standalone::Arguments),
    /// Run a worker of a group, which connectors are given to over REST
    Distributed(distributed::Arguments),
    /// Check a connector's configuration, without running it
    Validate(validate::Arguments),
    /// List the plug-ins, or show the keys of one
    Plugins(plugins::Arguments),
    /// Show what a connector would do to the first records of its real source; writes and commits nothing
    Preview(preview::Arguments),
    /// Write topics, or a part of them, to files, and end
    #[cfg(feature = "object-store")]
    Export(Box<export::Arguments>),
    /// Look at dead letters, and send them back where they came from
    Dlq(Box<dlq::Arguments>),
    /// Print a completion script for a shell
    Completions(completions::Arguments),
}

/// The whole program: parses the command line, runs the command with the built-in plug-ins and `more`, and returns the
/// exit code. A plug-in of `more` replaces a built-in one of the same name.
pub fn run(more: Vec<Plugin>) -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let is_help = !error.use_stderr();
            // nothing can be done about a closed stdout
            let _ = error.print();
            return if is_help { ExitCode::SUCCESS } else { ExitCode::from(EXIT_USAGE) };
        }
    };
    let level = match cli.command {
        Command::Standalone(_) | Command::Distributed(_) => "info",
        _ => "warn",
    };
    let levels = logging::start(cli.log_format, level);
    let mut plugins = builtin_plugins();
    plugins.extend(more);
    let outcome = match cli.command {
        #[cfg(feature = "embedded-broker")]
        Command::Quickstart(arguments) => quickstart::run(&arguments, plugins, levels),
        Command::Standalone(arguments) => standalone::run(&arguments, plugins, levels),
        Command::Distributed(arguments) => distributed::run(&arguments, plugins, levels),
        Command::Validate(arguments) => validate::run(&arguments, plugins),
        Command::Plugins(arguments) => plugins::run(&arguments, plugins),
        Command::Preview(arguments) => preview::run(&arguments, plugins),
        #[cfg(feature = "object-store")]
        Command::Export(arguments) => export::run(&arguments, plugins, levels),
        Command::Dlq(arguments) => dlq::run(&arguments, plugins),
        Command::Completions(arguments) => completions::run(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let lines: Vec<_> = failure.message.lines().map(records_text::printable).collect();
            eprintln!("error: {}", lines.join("\n"));
            ExitCode::from(failure.code)
        }
    }
}

/// Why a command failed, for stderr, and its exit code.
#[derive(Debug)]
struct Failure {
    message: String,
    code: u8,
}

impl Failure {
    /// The worker could not start.
    fn worker(error: impl Into<anyhow::Error>) -> Self {
        Self { message: chain(&error.into()), code: EXIT_WORKER }
    }

    /// A connector could not be created or failed.
    fn connector(error: impl Into<anyhow::Error>) -> Self {
        Self { message: chain(&error.into()), code: EXIT_CONNECTOR }
    }

    /// The command line names something that does not exist.
    fn usage(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: EXIT_USAGE }
    }
}

/// An error and its causes on one line.
fn chain(error: &anyhow::Error) -> String {
    format!("{error:#}")
}
