//! `.proto` files.
//!
//! ```text
//!  text, or a descriptor in base64 ─ parser ─► FileDescriptor    with what it imports: references, and built_in files
//!  ProtoFile ─ text ─► text
//! ```

pub(crate) mod built_in;
pub(crate) mod meta;
pub(crate) mod parser;
pub(crate) mod proto_file;
