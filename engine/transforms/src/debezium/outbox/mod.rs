//! Events that an application writes into a table of its own, the outbox, as messages.

mod additional_fields;
mod event_router;
mod event_time;
mod expanded_payloads;
mod json_schema;
mod messages;
mod outbox_config;
mod outbox_rows;

pub use event_router::EventRouter;
