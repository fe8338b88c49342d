//! Confluent's transformations, after what its documentation says of them: names, keys and behaviour.

mod drop;
mod extract_topic;
mod filter;
mod json_path;
mod message_timestamp_router;
mod nested;
mod null_filter;
mod plugins;
mod replace_field;
#[cfg(test)]
mod tests;
mod tombstone_handler;

pub(crate) use plugins::plugins;
