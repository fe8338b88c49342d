//! Plug-ins beside the worker's own, which are only looked for when they are needed.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::Builder;

use parking_lot::Mutex;
use tracing::warn;
use volley_api::{Plugin, Result};

use crate::plugins::plugin_index::PluginIndex;

/// Looks for more plug-ins.
pub trait MorePlugins: Send + Sync {
    /// Looks for them, which may take long. What it finds is kept, unless it is nothing: then it is asked again when one is
    /// needed again.
    ///
    /// # Errors
    /// If they cannot be looked for; it is asked again when one is needed again.
    fn plugins(&self) -> Result<Vec<Plugin>>;

    /// Whether those that it finds take the place of the worker's own of the same class and kind.
    fn prefers(&self) -> bool;
}

/// More plug-ins, and the worker's own with them once they are found.
pub(super) struct More {
    finder: Arc<dyn MorePlugins>,
    own: Arc<PluginIndex>,
    all: OnceLock<PluginIndex>,
    /// Held while they are looked for, so that this happens once: why they could not be, the last time.
    search: Mutex<Option<String>>,
    has_begun: AtomicBool,
}

impl More {
    pub(super) fn new(finder: Arc<dyn MorePlugins>, own: Arc<PluginIndex>) -> Self {
        Self { finder, own, all: OnceLock::new(), search: Mutex::new(None), has_begun: AtomicBool::new(false) }
    }

    pub(super) fn prefers(&self) -> bool {
        self.finder.prefers()
    }

    /// Whether they were looked for and found.
    pub(super) fn is_found(&self) -> bool {
        self.all.get().is_some()
    }

    /// Those that are known: the worker's own until more are found.
    pub(super) fn known(&self) -> &PluginIndex {
        match self.all.get() {
            Some(all) => all,
            None => &self.own,
        }
    }

    /// All, which are looked for if they are not found yet.
    pub(super) fn all(&self) -> &PluginIndex {
        if let Some(all) = self.all.get() {
            return all;
        }
        let mut failure = self.search.lock();
        if let Some(all) = self.all.get() {
            return all;
        }
        let found = match self.finder.plugins() {
            Ok(found) if !found.is_empty() => found,
            outcome => {
                let why = outcome.err().map(|error| format!("{error:#}"));
                if let Some(why) = why.as_deref().filter(|why| failure.as_deref() != Some(why)) {
                    warn!(why, "plug-ins of `plugin.path` cannot be looked for");
                }
                *failure = why;
                return &self.own;
            }
        };
        self.all.get_or_init(|| {
            let own = self.own.all().to_vec();
            // of two of one class the later counts
            let (first, second) = if self.prefers() { (own, found) } else { (found, own) };
            PluginIndex::new(first.into_iter().chain(second).collect())
        })
    }

    /// Why they could not be looked for the last time.
    pub(super) fn failure(&self) -> Option<String> {
        self.search.lock().clone()
    }

    /// Has them looked for on a thread of its own, if they never were.
    pub(super) fn begin(self: &Arc<Self>) {
        if self.all.get().is_some() || self.has_begun.swap(true, Ordering::AcqRel) {
            return;
        }
        let this = Arc::clone(self);
        let search = move || {
            this.all();
        };
        if let Err(error) = Builder::new().name("find-plug-ins".to_owned()).spawn(search) {
            warn!(%error, "could not start a thread that looks for plug-ins");
        }
    }
}

impl fmt::Debug for More {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("More").field("all", &self.all).finish_non_exhaustive()
    }
}
