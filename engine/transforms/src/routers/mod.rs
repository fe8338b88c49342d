//! Where records go: to another topic, or nowhere.

pub(crate) mod filter;
pub(crate) mod regex_router;
pub(crate) mod timestamp_router;

pub use filter::Filter;
pub use regex_router::RegexRouter;
pub use timestamp_router::TimestampRouter;
