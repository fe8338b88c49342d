//! JSON as bytes: the basic steps of parsing, and writing strings. It knows nothing of columns.
//!
//! ```text
//!  bytes ─ lenient (Jackson's extensions) ─► Cursor ─┬─ text, number ─► values
//!                                                    └─ skip ─────────► whole values, validated and skipped
//! ```
//!
//! Every step returns a `Failure` if the bytes are not JSON or not the expected element. If an object has the same
//! member twice, the caller rewrites it with `without_duplicates` and starts again.

mod cursor;
mod escape;
mod failure;
mod kind;
pub(crate) mod lenient;
mod number;
mod refill;
mod shape;
mod skip;
mod text;

pub(crate) use cursor::{Cursor, Pattern};
pub(crate) use escape::write_string;
pub(crate) use failure::{Cause, Decoded, Failure};
pub(crate) use kind::Kind;
pub(crate) use lenient::strict;
pub(crate) use number::{MAX_EXACT_INTEGER, Number, read_float, read_integer, read_number, skip_number};
pub(crate) use refill::{MAX_DEPTH, without_duplicates};
pub(crate) use shape::AlikeMessages;
pub(crate) use skip::{pass_colon, skip_value, validate};
pub(crate) use text::{read_string, read_text, skip_string};
