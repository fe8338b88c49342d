//! A column of a result.

use arrow::datatypes::Field;

/// A column of what a query answers.
///
/// | the database has | the field's type |
/// |---|---|
/// | truth values, integers, floating point | Boolean, Int8 … Int64, UInt64, Float32, Float64 |
/// | text, bytes | Utf8, Binary |
/// | numbers of fixed scale | Decimal128(38, scale), Decimal256(76, scale) where that is too small |
/// | dates, times of day | Date32, Time64(µs) |
/// | points in time | Timestamp(µs or ns, "UTC") |
/// | dates with times, without a time zone | Timestamp(µs or ns) |
/// | arrays | List of these |
/// | anything else | Utf8: the value as the database writes it |
///
/// A database that knows an infinite date or time writes it as the least or the greatest value of the type.
#[derive(Clone, Debug, PartialEq)]
pub struct ResultColumn {
    /// Name, type and nullability.
    pub field: Field,
    /// Its type in the database's words, for messages.
    pub type_name: String,
    /// What it is in the eyes of `numeric.mapping`.
    pub number: Number,
    /// Whether it has days, though the field's type, Timestamp(µs) without a time zone, tells what follows them: the records
    /// have the days, and the rest counts where times say what is new.
    pub has_days: bool,
    /// Whether Java's connector has no type for it, and leaves the column out.
    pub is_left_out_by_java: bool,
}

/// What a column is in the eyes of `numeric.mapping`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    /// No decimal number.
    No,
    /// JDBC's NUMERIC.
    Numeric {
        /// Digits that it may have.
        precision: u32,
    },
    /// JDBC's DECIMAL, which `numeric.mapping` leaves alone.
    Decimal {
        /// Digits that it may have.
        precision: u32,
    },
    /// A number of any precision and scale; the field's type is Utf8.
    Unlimited,
}
