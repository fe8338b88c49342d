//! `sha256_hex(text)` and `mask_hash(text, salt)`: SHA-256 as hexadecimal digits.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringBuilder};
use arrow::datatypes::DataType;
use datafusion::common::exec_err;
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use sha2::{Digest, Sha256};

use super::argument_types::{bytes_of, text_or_bytes_type, text_type};

const HEX: &[u8; 16] = b"0123456789abcdef";

/// The functions.
pub(super) fn functions() -> impl Iterator<Item = ScalarUDF> {
    let function = |is_salted| Sha256Hex { is_salted, signature: Signature::user_defined(Volatility::Immutable) };
    [false, true].into_iter().map(move |is_salted| ScalarUDF::from(function(is_salted)))
}

/// Two digits for each byte, in lower case.
pub(super) fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(HEX[usize::from(digit)])).collect()
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Sha256Hex {
    /// `mask_hash`: the bytes of the second argument come before those of the first.
    is_salted: bool,
    signature: Signature,
}

impl ScalarUDFImpl for Sha256Hex {
    fn name(&self) -> &str {
        if self.is_salted { "mask_hash" } else { "sha256_hex" }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        match (arg_types, self.is_salted) {
            ([value], false) => Ok(vec![text_or_bytes_type(value)?]),
            ([value, salt], true) => Ok(vec![text_or_bytes_type(value)?, text_type(salt)?]),
            (_, is_salted) => exec_err!("`{}` takes {} argument(s)", self.name(), 1 + usize::from(is_salted)),
        }
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays: Vec<ArrayRef> = ColumnarValue::values_to_arrays(&args.args)?;
        let mut builder = StringBuilder::with_capacity(arrays[0].len(), arrays[0].len() * 64);
        match arrays.get(1) {
            None => bytes_of(&arrays[0]).for_each(|value| {
                builder.append_option(value.map(|value| hex(&Sha256::digest(value))));
            }),
            Some(salts) => bytes_of(&arrays[0]).zip(bytes_of(salts)).for_each(|(value, salt)| {
                let digest = value.zip(salt).map(|(value, salt)| Sha256::new().chain_update(salt).chain_update(value));
                builder.append_option(digest.map(|digest| hex(&digest.finalize())));
            }),
        }
        Ok(ColumnarValue::Array(Arc::new(builder.finish())))
    }
}
