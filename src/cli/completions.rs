//! `volley completions`

use clap::CommandFactory;
use clap_complete::Shell;

use super::{Cli, Failure};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The shell, for example: volley completions bash > /etc/bash_completion.d/volley
    shell: Shell,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    clap_complete::generate(arguments.shell, &mut Cli::command(), "volley", &mut std::io::stdout());
    Ok(())
}
