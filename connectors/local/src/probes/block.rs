//! Where a blocking probe hangs.

use std::thread;

use volley_api::ConfigMap;

const BLOCK: &str = "block";

/// The call in which a plug-in hangs for good; the thread that makes it is lost.
#[derive(Clone, Debug, Default)]
pub(super) struct Block(Option<String>);

impl Block {
    /// The call that the key `block` names.
    pub(super) fn of(config: &ConfigMap) -> Self {
        Self(config.get(BLOCK).cloned())
    }

    /// Hangs if one of these is the call.
    pub(super) fn at(&self, calls: &[&str]) {
        if self.0.as_deref().is_some_and(|call| calls.contains(&call)) {
            hang();
        }
    }
}

/// Never returns.
pub(super) fn hang() {
    loop {
        thread::park();
    }
}
