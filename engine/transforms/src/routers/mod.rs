//! Where records go: to another topic, or nowhere.

mod filter;
mod regex_router;

pub use filter::Filter;
pub use regex_router::RegexRouter;
use volley_api::Plugin;

pub(crate) fn plugins() -> [Plugin; 2] {
    [regex_router::plugin(), filter::plugin()]
}
