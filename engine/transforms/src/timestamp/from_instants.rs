//! Instants as columns of a type of time.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringBuilder};
use arrow::datatypes::{Date32Type, Time32MillisecondType, TimestampMillisecondType};

use super::time_type::{Precision, TimeType};
use crate::date_format::DateFormat;

const MILLIS_PER_DAY: i64 = 86_400_000;

/// The instants as `target`: a Date is the day, a Time what is left of it.
pub(crate) fn from_instants(
    instants: &Int64Array,
    target: TimeType,
    format: Option<&DateFormat>,
    precision: Precision,
) -> ArrayRef {
    match target {
        TimeType::String => Arc::new(texts(instants, format)),
        TimeType::Unix => {
            Arc::new(instants.unary::<_, arrow::datatypes::Int64Type>(|millis| precision.of_millis(millis)))
        }
        TimeType::Date => Arc::new(instants.unary::<_, Date32Type>(|millis| millis.div_euclid(MILLIS_PER_DAY) as i32)),
        TimeType::Time => {
            Arc::new(instants.unary::<_, Time32MillisecondType>(|millis| millis.rem_euclid(MILLIS_PER_DAY) as i32))
        }
        TimeType::Timestamp => Arc::new(instants.reinterpret_cast::<TimestampMillisecondType>().with_timezone("UTC")),
    }
}

/// Instant by instant: there is no kernel for Java's patterns.
fn texts(instants: &Int64Array, format: Option<&DateFormat>) -> arrow::array::StringArray {
    let mut texts = StringBuilder::with_capacity(instants.len(), 0);
    for millis in instants {
        texts.append_option(millis.and_then(|millis| format.map(|format| format.format(millis))));
    }
    texts.finish()
}
