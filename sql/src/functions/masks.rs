//! `mask`, `mask_email` and `mask_show_last`: texts that show less than they say.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringBuilder};
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::exec_err;
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

use super::argument_types::{text_type, texts, whole_number_type};

/// Stands for what is not shown, whatever its length.
const HIDDEN: &str = "***";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Mask {
    /// Letters and digits by their kind.
    Kinds,
    /// The first letter and the domain.
    Email,
    /// The last characters.
    ShowLast,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct MaskFunction {
    mask: Mask,
    signature: Signature,
}

/// The functions.
pub(super) fn functions() -> impl Iterator<Item = ScalarUDF> {
    let function = |mask| MaskFunction { mask, signature: Signature::user_defined(Volatility::Immutable) };
    [Mask::Kinds, Mask::Email, Mask::ShowLast].into_iter().map(move |mask| ScalarUDF::from(function(mask)))
}

impl ScalarUDFImpl for MaskFunction {
    fn name(&self) -> &str {
        match self.mask {
            Mask::Kinds => "mask",
            Mask::Email => "mask_email",
            Mask::ShowLast => "mask_show_last",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        match (self.mask, arg_types) {
            (Mask::ShowLast, [text, count]) => Ok(vec![text_type(text)?, whole_number_type(count)?]),
            (Mask::ShowLast, _) => exec_err!("`mask_show_last` takes a text and a number of characters"),
            (_, [text]) => Ok(vec![text_type(text)?]),
            _ => exec_err!("`{}` takes one argument", self.name()),
        }
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays: Vec<ArrayRef> = ColumnarValue::values_to_arrays(&args.args)?;
        let values = texts(&arrays[0]);
        let mut builder = StringBuilder::with_capacity(values.len(), values.value_data().len());
        match self.mask {
            Mask::Kinds => values.iter().for_each(|text| builder.append_option(text.map(by_kind))),
            Mask::Email => values.iter().for_each(|text| builder.append_option(text.map(email))),
            Mask::ShowLast => {
                let counts = arrays[1].as_primitive::<Int64Type>();
                let rows = values.iter().zip(counts);
                rows.for_each(|(text, count)| {
                    builder.append_option(text.zip(count).map(|(text, count)| show_last(text, count)));
                });
            }
        }
        Ok(ColumnarValue::Array(Arc::new(builder.finish())))
    }
}

/// `X` for a capital, `x` for another letter, `n` for a digit; all other characters stay.
fn by_kind(text: &str) -> String {
    let masked = text.chars().map(|char| match char {
        char if char.is_uppercase() => 'X',
        char if char.is_alphabetic() => 'x',
        char if char.is_numeric() => 'n',
        char => char,
    });
    masked.collect()
}

/// `ann@example.com` as `a***@example.com`; a text that is no address is hidden as a whole.
fn email(text: &str) -> String {
    match text.rsplit_once('@') {
        Some((name, domain)) if !domain.is_empty() => match name.chars().next() {
            Some(first) => format!("{first}{HIDDEN}@{domain}"),
            None => HIDDEN.to_owned(),
        },
        _ => HIDDEN.to_owned(),
    }
}

/// `*` for each character but the last `count`.
fn show_last(text: &str, count: i64) -> String {
    let shown = usize::try_from(count).unwrap_or(0);
    let hidden = text.chars().count().saturating_sub(shown);
    text.chars().enumerate().map(|(place, char)| if place < hidden { '*' } else { char }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_count_characters_and_not_bytes() {
        assert_eq!(by_kind("Zoë, 42 Straße-7 字"), "Xxx, nn Xxxxxx-n x");
        assert_eq!(email("ünal@example.com"), "ü***@example.com");
        assert_eq!(show_last("4929 1234 字", 3), "********4 字");
        for (text, count, shown) in [("abc", 0, "***"), ("abc", -1, "***"), ("abc", 9, "abc"), ("", 2, "")] {
            assert_eq!(show_last(text, count), shown);
        }
        for no_address in ["", "ann", "@", "@example.com", "ann@"] {
            assert_eq!(email(no_address), HIDDEN);
        }
        assert_eq!(email("a@b@c.d"), "a***@c.d");
    }
}
