//! All plug-ins of the worker, found by any of their names.

mod java_processes;
mod more_plugins;
mod offered_plugins;
mod plugin_index;
#[allow(clippy::module_inception)] // the thing itself, among what belongs to it
mod plugins;
mod search;
mod version_range;

pub use java_processes::{HeapsOfGroup, JavaNumber, JavaProcess, JavaProcesses};
pub use more_plugins::MorePlugins;
pub use offered_plugins::OfferedPlugins;
pub(crate) use plugin_index::interface;
pub use plugins::Plugins;
pub(crate) use search::{find_connector, searched};
pub(crate) use version_range::VersionRange;
