//! Header converters: one value at a time.

mod byte_array;
mod literal;
mod number;
mod simple;
mod string;

pub use byte_array::ByteArrayHeaderConverter;
pub use number::{BooleanHeaderConverter, NumberHeaderConverter};
pub use simple::SimpleHeaderConverter;
pub use string::StringHeaderConverter;
