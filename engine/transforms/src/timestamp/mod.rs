//! `TimestampConverter`: times as text, numbers, and Connect's own types.

mod from_instants;
mod instants;
mod time_type;
mod timestamp_converter;

pub use timestamp_converter::TimestampConverter;
pub(crate) use timestamp_converter::plugins;
