//! The layers before the resources, in this order:
//!
//! ```text
//!  bad_uri ─► front: trailing slashes, OPTIONS, 404 and 405, time-out ─► gate: content types, basic_auth ─► resource
//!                └── on the way back: cors, response_headers, request_log
//! ```

pub(crate) mod bad_uri;
pub(crate) mod basic_auth;
pub(crate) mod cors;
#[allow(clippy::module_inception)] // what the others are put together in
pub(crate) mod front;
pub(crate) mod gate;
mod request_log;
pub(crate) mod response_headers;
pub(crate) mod settings;
