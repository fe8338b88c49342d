//! What a crate offers by name, and what converters, transformations and predicates implement.

mod converter;
#[allow(clippy::module_inception)] // the thing itself, among what belongs to it
mod plugin;
mod predicate;
mod transformation;

pub use converter::{Converted, Converter, HeaderConverter, Run, Serialized, Side};
pub use plugin::{KAFKA_VERSION, Plugin, PluginFactory, PluginKind};
pub use predicate::Predicate;
pub use transformation::{Transformation, Transformed};
