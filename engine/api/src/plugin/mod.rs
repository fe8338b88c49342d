//! What a crate offers by name, and what converters, transformations and predicates implement.

mod converter;
mod extension;
#[allow(clippy::module_inception)] // the thing itself, among what belongs to it
mod plugin;
mod plugin_factory;
mod predicate;
mod topic_reader;
mod transformation;
mod transformation_context;
mod worker_plugins;

pub use converter::{Converted, Converter, HeaderConverter, Run, Serialized, Side, Unserialized};
pub use extension::Extension;
pub use plugin::{KAFKA_VERSION, Plugin, PluginKind};
pub use plugin_factory::PluginFactory;
pub use predicate::Predicate;
pub use topic_reader::{TakeRecord, TopicReader};
pub use transformation::{Transformation, Transformed};
pub use transformation_context::TransformationContext;
pub use worker_plugins::{FindPlugin, WorkerPlugins};
