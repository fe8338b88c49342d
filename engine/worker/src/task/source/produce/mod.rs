//! The produce stage of a source task: records to bytes, to Kafka, and the offsets of what is acknowledged to the store.
//!
//! ```text
//!                  produce_stage: serve, settle, commit
//!                       │                    │
//!              record_serializer       message_sender: send, resend, wait for topics and room
//!                                            │
//!                                      delivery_tracker: deliveries, failures, commits
//!                                            │
//!         ┌──────────────┬───────────────────┼──────────────────────┐
//!      outbox          topics             in_flight            offset_commits
//!      the producer    known, lost,       messages, returned   when, and one
//!                      created            messages, offsets    at a time
//!         │              │                   │                      │
//!    record_producer  topic_creator    acknowledgements       offset_committer ─► store
//! ```
//!
//! Calls go down only. `in_flight` and `acknowledgements` are pure. `message_sender` waits for topics and for room, and
//! `produce_stage` for acknowledgements at the end; both wait in `DeliveryTracker::poll_deliveries`, so that deliveries are noted
//! and offsets committed all the while.
//!
//! A message goes with a token to the producer, and the token comes back with its delivery. A batch is committable once all
//! its messages and those of all earlier batches of its source partition are acknowledged, or their failure is tolerated.
//!
//! With exactly-once, `transactions` takes the place of `offset_commits`: messages and offsets are committed together.

pub(crate) mod acknowledged_batches;
mod acknowledgements;
mod batch_part;
pub(crate) mod committed_offsets;
mod delivery_tracker;
mod in_flight;
#[cfg(test)]
mod in_flight_laws;
mod message_sender;
pub(crate) mod offset_commits;
pub(crate) mod offset_committer;
pub(crate) mod outbox;
pub(crate) mod own_bytes;
pub(crate) mod produce_stage;
pub(crate) mod record_producer;
pub(crate) mod record_serializer;
pub(crate) mod topic_creator;
mod topic_wait;
mod topics;
pub(crate) mod transactions;
