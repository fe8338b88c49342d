//! The produce stage of a source task: records to bytes, to Kafka, and the offsets of what is acknowledged to the store.

mod acknowledgements;
pub(crate) mod committed_offsets;
pub(crate) mod offset_commits;
pub(crate) mod offset_committer;
mod parcels;
pub(crate) mod produce_stage;
pub(crate) mod record_producer;
pub(crate) mod record_serializer;
mod returned_messages;
pub(crate) mod topic_creator;
mod topic_preparation;
