//! Plug-ins beside the worker's own, which are only looked for when they are needed.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::Builder;

use parking_lot::Mutex;
use tracing::warn;
use volley_api::{Plugin, Result};

use crate::plugins::JavaProcesses;
use crate::plugins::plugin_index::PluginIndex;

/// Looks for more plug-ins.
pub trait MorePlugins: Send + Sync {
    /// Looks for them, which may take long. What it finds is kept, unless it is nothing: then it is asked again when one is
    /// needed again.
    ///
    /// # Errors
    /// If they cannot be looked for; it is asked again when one is needed again.
    fn plugins(&self) -> Result<Vec<Plugin>>;

    /// Whether those that it finds take the place of the worker's own of the same class and kind, for connectors that do not say.
    fn prefers(&self) -> bool;

    /// The processes that they run in.
    fn processes(&self) -> Option<Arc<dyn JavaProcesses>> {
        None
    }
}

/// Which of two plug-ins of the same class and kind counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Preference {
    Own,
    More,
}

/// More plug-ins, and the worker's own with them once they are found.
pub(super) struct More {
    finder: Arc<dyn MorePlugins>,
    own: Arc<PluginIndex>,
    found: OnceLock<Vec<Plugin>>,
    own_first: OnceLock<PluginIndex>,
    more_first: OnceLock<PluginIndex>,
    /// Held while they are looked for, so that this happens once: why they could not be, the last time.
    search: Mutex<Option<String>>,
    has_begun: AtomicBool,
}

impl More {
    pub(super) fn new(finder: Arc<dyn MorePlugins>, own: Arc<PluginIndex>) -> Self {
        Self {
            finder,
            own,
            found: OnceLock::new(),
            own_first: OnceLock::new(),
            more_first: OnceLock::new(),
            search: Mutex::new(None),
            has_begun: AtomicBool::new(false),
        }
    }

    /// What counts for connectors that do not say.
    pub(super) fn preference(&self) -> Preference {
        if self.finder.prefers() { Preference::More } else { Preference::Own }
    }

    /// The processes that more plug-ins run in.
    pub(super) fn processes(&self) -> Option<Arc<dyn JavaProcesses>> {
        self.finder.processes()
    }

    /// Whether they were looked for and found.
    pub(super) fn is_found(&self) -> bool {
        self.found.get().is_some()
    }

    /// Those that are known: the worker's own until more are found.
    pub(super) fn known(&self, preference: Preference) -> &PluginIndex {
        match self.found.get() {
            Some(found) => self.index(found, preference),
            None => &self.own,
        }
    }

    /// All, which are looked for if they are not found yet.
    pub(super) fn all(&self, preference: Preference) -> &PluginIndex {
        match self.find() {
            Some(found) => self.index(found, preference),
            None => &self.own,
        }
    }

    /// Those that were found, or are now. `None` where there are none.
    fn find(&self) -> Option<&Vec<Plugin>> {
        if let Some(found) = self.found.get() {
            return Some(found);
        }
        let mut failure = self.search.lock();
        if let Some(found) = self.found.get() {
            return Some(found);
        }
        let found = match self.finder.plugins() {
            Ok(found) if !found.is_empty() => found,
            outcome => {
                let why = outcome.err().map(|error| format!("{error:#}"));
                if let Some(why) = why.as_deref().filter(|why| failure.as_deref() != Some(why)) {
                    warn!(why, "plug-ins of `plugin.path` cannot be looked for");
                }
                *failure = why;
                return None;
            }
        };
        Some(self.found.get_or_init(|| found))
    }

    fn index(&self, found: &[Plugin], preference: Preference) -> &PluginIndex {
        let own = self.own.all();
        let (index, under, over) = match preference {
            Preference::Own => (&self.own_first, found, own),
            Preference::More => (&self.more_first, own, found),
        };
        index.get_or_init(|| PluginIndex::of_both(under, over))
    }

    /// Why they could not be looked for the last time.
    pub(super) fn failure(&self) -> Option<String> {
        self.search.lock().clone()
    }

    /// Has them looked for on a thread of its own, if they never were.
    pub(super) fn begin(self: &Arc<Self>) {
        if self.is_found() || self.has_begun.swap(true, Ordering::AcqRel) {
            return;
        }
        let this = Arc::clone(self);
        let search = move || {
            this.find();
        };
        if let Err(error) = Builder::new().name("find-plug-ins".to_owned()).spawn(search) {
            warn!(%error, "could not start a thread that looks for plug-ins");
        }
    }
}

impl fmt::Debug for More {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("More").field("found", &self.found).finish_non_exhaustive()
    }
}
