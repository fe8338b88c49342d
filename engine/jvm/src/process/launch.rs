//! What a process of a host is made of.

use std::path::Path;
use std::process::Command;

use volley_api::Result;

/// Makes the command of a host. Socket and token are for hosts that do not read the environment, which has them anyway.
pub(crate) trait Launch: Send + Sync {
    /// The command: neither its standard streams nor its process group need be set. `name`: what runs in it, for whoever lists
    /// processes.
    ///
    /// # Errors
    /// If there is nothing to start.
    fn command(&self, name: &str, socket: &Path, token: &str) -> Result<Command>;
}
