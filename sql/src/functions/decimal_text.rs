//! `decimal_text(value)`: a number with a scale of its own, as decimal text (Debezium's VariableScaleDecimal).

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::DataType;
use datafusion::common::exec_err;
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use volley_api::decimal_texts;

#[derive(Debug, PartialEq, Eq, Hash)]
struct DecimalText {
    signature: Signature,
}

/// The function.
pub(super) fn decimal_text() -> ScalarUDF {
    ScalarUDF::from(DecimalText { signature: Signature::user_defined(Volatility::Immutable) })
}

impl ScalarUDFImpl for DecimalText {
    fn name(&self) -> &str {
        "decimal_text"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        if let [DataType::Struct(fields)] = arg_types {
            let is = |name: &str, expected: DataType| {
                fields.find(name).is_some_and(|(_, field)| field.data_type() == &expected)
            };
            if is("scale", DataType::Int32) && is("value", DataType::Binary) {
                return Ok(arg_types.to_vec());
            }
        }
        exec_err!("`decimal_text` takes one struct with the fields scale (INT) and value (BYTEA)")
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays: Vec<ArrayRef> = ColumnarValue::values_to_arrays(&args.args)?;
        match arrays[0].as_struct_opt() {
            Some(structs) => Ok(ColumnarValue::Array(Arc::new(decimal_texts(structs)))),
            None => exec_err!("`decimal_text` takes a struct"),
        }
    }
}
