//! Aiven's transformations, compared with its own classes of release 1.6.

mod case_transform;
mod concat_fields;
mod extract_timestamp;
mod extract_topic;
mod extract_topic_from_schema_name;
mod filter_by_field_value;
mod hash;
mod key_to_value;
mod make_tombstone;
mod places;
mod plugins;
#[cfg(test)]
mod tests;
mod tombstone_handler;

pub(crate) use plugins::plugins;
