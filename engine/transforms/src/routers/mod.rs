//! Where records go: to another topic, or nowhere.

mod filter;
mod regex_router;
mod timestamp_router;

pub use filter::Filter;
pub use regex_router::RegexRouter;
pub use timestamp_router::TimestampRouter;
use volley_api::Plugin;

pub(crate) fn plugins() -> [Plugin; 3] {
    [regex_router::plugin(), filter::plugin(), timestamp_router::plugin()]
}
