//! Transformations of headers. These are kept row by row, so that a loop over rows is all there is.

mod drop_headers;
mod header_from;
mod insert_header;

pub use drop_headers::DropHeaders;
pub use header_from::HeaderFrom;
pub use insert_header::InsertHeader;
use volley_api::Plugin;

pub(crate) fn plugins() -> Vec<Plugin> {
    header_from::plugins().into_iter().chain([insert_header::plugin(), drop_headers::plugin()]).collect()
}
