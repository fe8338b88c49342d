//! `now()`, `current_date` and `current_time` for plans that are executed more than once.
//!
//! DataFusion replaces its own functions by a constant when it plans a query, so every later batch would have the time
//! of the first.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};

const DAY_MS: i64 = 86_400_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Reading {
    Timestamp,
    Date,
    Time,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ClockFunction {
    name: &'static str,
    aliases: Vec<String>,
    reading: Reading,
    signature: Signature,
}

/// The functions, with all of DataFusion's names for them.
pub(crate) fn clock_functions() -> [ScalarUDF; 3] {
    let function = |name, alias: Option<&str>, reading| {
        ScalarUDF::from(ClockFunction {
            name,
            aliases: alias.map(str::to_owned).into_iter().collect(),
            reading,
            signature: Signature::new(TypeSignature::Nullary, Volatility::Volatile),
        })
    };
    [
        function("now", Some("current_timestamp"), Reading::Timestamp),
        function("current_date", Some("today"), Reading::Date),
        function("current_time", None, Reading::Time),
    ]
}

impl ScalarUDFImpl for ClockFunction {
    fn name(&self) -> &str {
        self.name
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(match self.reading {
            Reading::Timestamp => DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())),
            Reading::Date => DataType::Date32,
            Reading::Time => DataType::Time32(TimeUnit::Millisecond),
        })
    }

    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    fn invoke_with_args(&self, _args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let millis = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
        let (days, of_day) = (millis / DAY_MS, millis % DAY_MS);
        Ok(ColumnarValue::Scalar(match self.reading {
            Reading::Timestamp => ScalarValue::TimestampMillisecond(Some(millis), Some(Arc::from("UTC"))),
            Reading::Date => ScalarValue::Date32(i32::try_from(days).ok()),
            Reading::Time => ScalarValue::Time32Millisecond(i32::try_from(of_day).ok()),
        }))
    }
}
