//! The scalar functions that DataFusion does not have: JSON texts, time zones, digests with a secret, masks.
//!
//! All are pure, and null where an argument is null. A value that a function cannot take rejects its row only.

mod argument_types;
mod decimal_text;
mod digests;
mod hmac_function;
mod json;
mod local_time;
mod masks;

use std::sync::Arc;

use datafusion::error::Result;
use datafusion::execution::FunctionRegistry;
use datafusion::logical_expr::ScalarUDF;
use datafusion::prelude::SessionContext;

pub(crate) use hmac_function::{HMAC, HmacSecrets};
pub(crate) use json::{is_json_value, json_text};

/// The functions that need no settings.
pub(crate) fn pure_functions() -> Vec<Arc<ScalarUDF>> {
    let own = [json::json_parse(), decimal_text::decimal_text()]
        .into_iter()
        .chain(local_time::functions())
        .chain(digests::functions());
    json::crate_functions().into_iter().chain(own.chain(masks::functions()).map(Arc::new)).collect()
}

/// Adds all functions to `session`.
pub(crate) fn register(session: &mut SessionContext) -> Result<()> {
    // its operators, too
    datafusion_functions_json::register_all(session)?;
    for function in pure_functions() {
        FunctionRegistry::register_udf(session, function)?;
    }
    Ok(())
}

/// Adds `hmac_sha256` with these secrets to `session`.
pub(crate) fn register_hmac(session: &SessionContext, secrets: HmacSecrets) {
    session.register_udf(hmac_function::hmac_function(secrets));
}
