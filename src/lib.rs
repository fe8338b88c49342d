//! Volley as a library: [`run`] is the whole program, with plug-ins of your own added.
//!
//! ```no_run
//! fn main() -> std::process::ExitCode {
//!     let mine: Vec<volley::api::Plugin> = Vec::new();
//!     volley::run(mine)
//! }
//! ```

mod builtin_plugins;
mod cli;
#[cfg(feature = "embedded-broker")]
mod embedded_broker;
#[cfg(test)]
mod house_tests;
mod java_plugins;
mod logging;
#[cfg(feature = "embedded-broker")]
mod quickstart;

pub use builtin_plugins::builtin_plugins;
pub use cli::run;
#[cfg(feature = "embedded-broker")]
pub use embedded_broker::EmbeddedBroker;
/// What the author of a plug-in implements.
pub use volley_api as api;
/// The worker, for programs that start one themselves.
pub use volley_worker as worker;
