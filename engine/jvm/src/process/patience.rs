//! How long a host may take for what it owes its worker, and how long it may have nothing to do.

use std::time::Duration;

/// Limits of a host.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// From the start of the process to both of its connections.
    pub(crate) hello: Duration,
    /// Without a BEAT, until a dump of its threads is asked for.
    pub(crate) silence_until_dump: Duration,
    /// Without a BEAT, until it is killed.
    pub(crate) silence_until_kill: Duration,
    /// For a scan, which loads all classes there are.
    pub(crate) scan: Duration,
    /// For its shutdown hooks.
    pub(crate) exit: Duration,
    /// Without a call, until it is ended where nothing runs in it.
    pub(crate) idle: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            hello: Duration::from_secs(30),
            silence_until_dump: Duration::from_secs(30),
            silence_until_kill: Duration::from_secs(60),
            scan: Duration::from_secs(120),
            exit: Duration::from_secs(5),
            idle: Duration::from_secs(60),
        }
    }
}
