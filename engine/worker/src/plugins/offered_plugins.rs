//! What a worker is given to find its plug-ins in.

use std::fmt;
use std::sync::Arc;

use volley_api::{Plugin, Result};

use crate::plugins::{MorePlugins, Plugins};
use crate::worker_config::JavaSettings;

type NewMore = Box<dyn FnOnce(JavaSettings) -> Result<Option<Arc<dyn MorePlugins>>> + Send>;

/// The worker's own plug-ins, and how it finds more once the keys for that are known.
pub struct OfferedPlugins {
    own: Vec<Plugin>,
    more: Option<NewMore>,
}

impl OfferedPlugins {
    /// The same, with more that are found as the worker's configuration says. `new` MUST NOT look for them yet.
    #[must_use]
    pub fn with_more(
        mut self,
        new: impl FnOnce(JavaSettings) -> Result<Option<Arc<dyn MorePlugins>>> + Send + 'static,
    ) -> Self {
        self.more = Some(Box::new(new));
        self
    }

    /// The worker's own, and how to add the rest.
    pub(crate) fn open(self) -> (Plugins, AddMore) {
        (Plugins::new(self.own), AddMore(self.more))
    }
}

impl From<Vec<Plugin>> for OfferedPlugins {
    fn from(own: Vec<Plugin>) -> Self {
        Self { own, more: None }
    }
}

impl fmt::Debug for OfferedPlugins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OfferedPlugins").field("own", &self.own).finish_non_exhaustive()
    }
}

/// See [`OfferedPlugins::open`].
pub(crate) struct AddMore(Option<NewMore>);

impl AddMore {
    /// `plugins` with more of them.
    ///
    /// # Errors
    /// `Config` if the settings do not say how they are found.
    pub(crate) fn to(self, plugins: Plugins, settings: JavaSettings) -> Result<Plugins> {
        let more = self.0.map_or(Ok(None), |new| new(settings))?;
        Ok(match more {
            Some(more) => plugins.with_more(more),
            None => plugins,
        })
    }
}
