//! Searches for plug-ins from control threads, which must not wait: each on a thread of its own, if there is anything to look for.

use std::sync::Arc;
use std::time::Duration;

use volley_api::{ConfigMap, Plugin, Result};

use crate::plugin_call::{Deadline, call_plugin};
use crate::plugins::Plugins;

/// How long a search may take.
const SEARCH_LIMIT: Duration = Duration::from_secs(120);

/// The answer of `look`, which may look for more plug-ins.
///
/// # Errors
/// `Fatal` if the search takes too long.
///
/// # Cancellation
/// The search goes on; its outcome is kept for who asks next.
pub(crate) async fn searched<T: Send + 'static>(
    plugins: &Arc<Plugins>,
    look: impl FnOnce(&Plugins) -> T + Send + 'static,
) -> Result<T> {
    if plugins.is_complete() {
        return Ok(look(plugins));
    }
    let plugins = Arc::clone(plugins);
    call_plugin("the search for plug-ins", Deadline::after(SEARCH_LIMIT), move || look(&plugins)).await
}

/// The connector plug-in with this `name`, for a connector with this configuration: see [`Plugins::of_connector`] and
/// [`Plugins::find_connector`].
///
/// # Errors
/// As [`Plugins::find_connector`], and as [`searched`].
///
/// # Cancellation
/// As [`searched`].
pub(crate) async fn find_connector(plugins: &Plugins, config: &ConfigMap, name: &str) -> Result<Plugin> {
    let (plugins, name) = (Arc::new(plugins.of_connector(config)), name.to_owned());
    searched(&plugins, move |plugins| plugins.find_connector(&name).cloned()).await?
}
