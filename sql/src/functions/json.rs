//! JSON texts: the functions and operators of datafusion-functions-json, and a strict one.
//!
//! They scan a text up to what they look for, and give null where it is not there or the text is no JSON.

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::DataType;
use datafusion::common::exec_err;
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion_functions_json::{JSON_UNION_DATA_TYPE, udfs};
use serde::de::IgnoredAny;

use super::argument_types::{text_type, texts};

/// The functions of the crate.
pub(super) fn crate_functions() -> Vec<Arc<ScalarUDF>> {
    vec![
        udfs::json_get_udf(),
        udfs::json_get_str_udf(),
        udfs::json_get_int_udf(),
        udfs::json_get_float_udf(),
        udfs::json_get_bool_udf(),
        udfs::json_get_json_udf(),
        udfs::json_get_array_udf(),
        udfs::json_as_text_udf(),
        udfs::json_contains_udf(),
        udfs::json_length_udf(),
        udfs::json_object_keys_udf(),
    ]
}

/// Whether values have the type of `json_get` and `->`: any value of JSON.
pub(crate) fn is_json_value(data_type: &DataType) -> bool {
    static JSON_VALUE: LazyLock<DataType> = LazyLock::new(|| JSON_UNION_DATA_TYPE.clone());
    data_type == &*JSON_VALUE
}

/// The JSON text of such a value.
pub(crate) fn json_text(value: Expr) -> Expr {
    udfs::json_union_to_text_udf().call(vec![value])
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct JsonParse {
    signature: Signature,
}

/// `json_parse(text)`: the same text, if all of it is JSON; else the row is rejected.
pub(super) fn json_parse() -> ScalarUDF {
    ScalarUDF::from(JsonParse { signature: Signature::user_defined(Volatility::Immutable) })
}

impl ScalarUDFImpl for JsonParse {
    fn name(&self) -> &str {
        "json_parse"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        match arg_types {
            [text] => Ok(vec![text_type(text)?]),
            _ => exec_err!("`json_parse` takes one argument"),
        }
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays: Vec<ArrayRef> = ColumnarValue::values_to_arrays(&args.args)?;
        let array: &StringArray = texts(&arrays[0]);
        for text in array.iter().flatten() {
            if let Err(error) = serde_json::from_str::<IgnoredAny>(text) {
                return exec_err!("a text is no JSON: {error}");
            }
        }
        Ok(ColumnarValue::Array(Arc::clone(&arrays[0])))
    }
}
