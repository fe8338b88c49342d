//! `FaultyPassthrough`: a transformation that fails at two values, at one of them only the first time.

use arrow::array::{Array, AsArray, UInt32Array};
use volley_api::{
    ConfigDef, Error, Plugin, PluginFactory, Records, RejectedRow, Result, Stage, Transformation, Transformed,
};

const CLASS: &str = "org.apache.kafka.connect.integration.ErrorHandlingIntegrationTest$FaultyPassthrough";
const FAILS_ONCE: &str = "value-4";
const FAILS_ALWAYS: &str = "value-7";

/// `FaultyPassthrough`.
pub(super) fn plugin() -> Plugin {
    Plugin::new(
        CLASS,
        "1.0",
        "A probe that passes all records on, but for `value-7`, and `value-4` when it comes first.",
        ConfigDef::new(),
        PluginFactory::transformation(|_| Ok(FaultyPassthrough::default())),
    )
}

#[derive(Debug, Default)]
struct FaultyPassthrough {
    has_failed_once: bool,
}

impl FaultyPassthrough {
    fn fault(&mut self, value: &str) -> Option<Error> {
        match value {
            FAILS_ONCE if !self.has_failed_once => {
                self.has_failed_once = true;
                let message = format!("Error when value='{value}'. A reattempt with this record will succeed.");
                Some(Error::retriable(message))
            }
            FAILS_ALWAYS => Some(Error::retriable(format!("Error when value='{value}'"))),
            _ => None,
        }
    }
}

impl Transformation for FaultyPassthrough {
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        let Some(values) = records.value.array.as_string_opt::<i32>() else { return Ok(Transformed::of(records)) };
        let mut rejected = Vec::new();
        let mut kept = Vec::new();
        for row in 0..values.len() {
            match Some(values.value(row)).filter(|_| values.is_valid(row)).and_then(|value| self.fault(value)) {
                None => kept.push(row as u32),
                Some(error) => rejected.push(RejectedRow {
                    row: records.rows.input_row(row),
                    stage: Stage::Transformation,
                    class: CLASS.to_owned(),
                    error,
                }),
            }
        }
        if rejected.is_empty() {
            return Ok(Transformed::of(records));
        }
        let kept = if kept.is_empty() { Vec::new() } else { vec![records.take(&UInt32Array::from(kept))?] };
        Ok(Transformed { records: kept, rejected })
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::StringArray;
    use volley_api::testing::{column, records};

    use super::*;

    #[test]
    fn one_value_fails_once_and_another_always() {
        let mut transformation = FaultyPassthrough::default();
        let mut rejected = || {
            let values = StringArray::from(vec![Some("value-3"), Some("value-4"), None, Some("value-7")]);
            let records = records("t", column(values));
            let outcome = transformation.apply(records).unwrap();
            assert!(outcome.rejected.iter().all(|row| row.error.is_retriable()));
            outcome.rejected.iter().map(|row| row.row).collect::<Vec<_>>()
        };
        assert_eq!((rejected(), rejected()), (vec![1, 3], vec![3]));
    }
}
