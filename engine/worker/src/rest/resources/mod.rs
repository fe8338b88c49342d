//! The resources: one file for each, which parses the request, calls the herder and formats the answer. Requests that
//! another worker must handle are forwarded to it (`forwarding`).

pub(crate) mod connectors;
mod create_request;
pub(crate) mod forwarding;
pub(crate) mod internal;
pub(crate) mod location;
pub(crate) mod loggers;
pub(crate) mod metrics;
pub(crate) mod offsets;
pub(crate) mod plugins;
pub(crate) mod progress;
mod query;
pub(crate) mod root;
mod shown_config;
pub(crate) mod tasks;
