//! `hmac_sha256(text, 'name')`: HMAC with SHA-256 (RFC 2104) under a secret of the configuration, as hexadecimal digits.
//!
//! The query has the name of the secret only, so that no log and no answer of REST shows it with the query.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringBuilder};
use arrow::datatypes::DataType;
use datafusion::common::exec_err;
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use volley_api::{ConfigMap, Error};

use super::argument_types::{bytes_of, text_or_bytes_type, text_type, texts};
use super::digests::hex;

/// The function's name.
pub(crate) const HMAC: &str = "hmac_sha256";

/// Prefix and suffix of the keys with secrets; the name stands between.
const PREFIX: &str = "hmac.";
const SUFFIX: &str = ".secret";

/// The secrets by name, each as a code that no message has been added to yet.
#[derive(Clone, Default)]
pub(crate) struct HmacSecrets(Arc<BTreeMap<String, Hmac<Sha256>>>);

impl HmacSecrets {
    /// Those of `hmac.<name>.secret`.
    ///
    /// # Errors
    /// `Config` for a secret that is empty.
    pub(crate) fn of_config(config: &ConfigMap) -> volley_api::Result<Self> {
        let mut secrets = BTreeMap::new();
        for (key, secret) in config {
            let Some(name) = key.strip_prefix(PREFIX).and_then(|rest| rest.strip_suffix(SUFFIX)) else { continue };
            if name.is_empty() || name == "<name>" {
                continue;
            }
            let empty = || Error::config(format!("`{key}` is empty; give the secret for `{HMAC}(…, '{name}')`"));
            let code = match secret.is_empty() {
                true => return Err(empty()),
                false => Hmac::new_from_slice(secret.as_bytes()).map_err(|_| empty())?,
            };
            secrets.insert(name.to_owned(), code);
        }
        Ok(Self(Arc::new(secrets)))
    }

    /// Their names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl fmt::Debug for HmacSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[derive(Debug)]
struct HmacFunction {
    secrets: HmacSecrets,
    signature: Signature,
}

/// The function with these secrets.
pub(super) fn hmac_function(secrets: HmacSecrets) -> ScalarUDF {
    ScalarUDF::from(HmacFunction { secrets, signature: Signature::user_defined(Volatility::Immutable) })
}

impl PartialEq for HmacFunction {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.secrets.0, &other.secrets.0)
    }
}

impl Eq for HmacFunction {}

impl Hash for HmacFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        HMAC.hash(state);
    }
}

impl ScalarUDFImpl for HmacFunction {
    fn name(&self) -> &str {
        HMAC
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        match arg_types {
            [value, name] => Ok(vec![text_or_bytes_type(value)?, text_type(name)?]),
            _ => exec_err!("`{HMAC}` takes a text and the name of a secret"),
        }
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays: Vec<ArrayRef> = ColumnarValue::values_to_arrays(&args.args)?;
        let names = texts(&arrays[1]);
        let mut builder = StringBuilder::with_capacity(arrays[0].len(), arrays[0].len() * 64);
        for (row, value) in bytes_of(&arrays[0]).enumerate() {
            let (Some(value), false) = (value, names.is_null(row)) else {
                builder.append_null();
                continue;
            };
            let name = names.value(row);
            let Some(code) = self.secrets.0.get(name) else {
                return exec_err!("there is no `{PREFIX}{name}{SUFFIX}`");
            };
            builder.append_value(hex(&code.clone().chain_update(value).finalize().into_bytes()));
        }
        Ok(ColumnarValue::Array(Arc::new(builder.finish())))
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{AsArray, StringArray};
    use arrow::datatypes::Field;
    use datafusion::common::config::ConfigOptions;

    use super::*;

    #[test]
    fn the_vector_of_rfc_4231_holds_and_no_secret_shows() {
        let config = ConfigMap::from([("hmac.pii.secret".to_owned(), "Jefe".to_owned())]);
        let secrets = HmacSecrets::of_config(&config).unwrap();
        let function = hmac_function(secrets);
        let values = StringArray::from(vec![Some("what do ya want for nothing?"), None]);
        let names = StringArray::from(vec![Some("pii"), Some("pii")]);
        let field = || Arc::new(Field::new("a", DataType::Utf8, true));
        let args = ScalarFunctionArgs {
            args: vec![ColumnarValue::Array(Arc::new(values)), ColumnarValue::Array(Arc::new(names))],
            arg_fields: vec![field(), field()],
            number_rows: 2,
            return_field: field(),
            config_options: Arc::new(ConfigOptions::default()),
        };
        let codes = function.invoke_with_args(args).unwrap().into_array(2).unwrap();
        let codes = codes.as_string::<i32>();
        assert_eq!(codes.value(0), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        assert!(codes.is_null(1));
        assert!(!format!("{function:?}").contains("Jefe"), "{function:?}");
        let empty = ConfigMap::from([("hmac.pii.secret".to_owned(), String::new())]);
        assert!(HmacSecrets::of_config(&empty).unwrap_err().to_string().starts_with("`hmac.pii.secret` is empty"));
    }
}
