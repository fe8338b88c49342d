//! `Cast`: gives fields, or the whole, another type.

mod cast_transformation;
mod cast_type;
mod cast_values;
mod number_text;
mod numbers;

pub use cast_transformation::Cast;
pub(crate) use cast_transformation::plugins;
pub(crate) use cast_type::CastType;
pub(crate) use cast_values::cast_values;
pub(crate) use number_text::parse_big_decimal;
