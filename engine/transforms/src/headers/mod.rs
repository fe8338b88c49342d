//! Transformations of headers. These are kept row by row, so that a loop over rows is all there is.

pub(crate) mod drop_headers;
pub(crate) mod header_from;
pub(crate) mod insert_header;

pub use drop_headers::DropHeaders;
pub use header_from::HeaderFrom;
pub use insert_header::InsertHeader;
