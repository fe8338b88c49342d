//! `volley dlq`: dead letters are looked at, and sent back.

mod cluster;
mod filter;
mod letter_text;
mod replay;
mod show;

use volley_api::Plugin;

use super::Failure;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Show what has failed: how often, and the first records of each kind
    Show(show::Arguments),
    /// Send dead letters to the topic that they came from; each only once
    Replay(replay::Arguments),
}

pub(super) fn run(arguments: &Arguments, plugins: Vec<Plugin>) -> Result<(), Failure> {
    match &arguments.command {
        Command::Show(arguments) => show::run(arguments, plugins),
        Command::Replay(arguments) => replay::run(arguments, plugins),
    }
}
