//! Times of change events in another time zone.

mod offset_text;
mod rules;
mod timezone_converter;
mod zone;

pub use timezone_converter::TimezoneConverter;
