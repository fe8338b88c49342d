//! The keys of the transformation `Sql`.

use volley_api::{ConfigDef, ConfigKey, ConfigType, ConfigValue, Importance, Validator, Width};

use crate::lookup::lookup_keys;
use crate::query::RowwiseQuery;

pub(crate) const QUERY: &str = "query";
const FUNCTION: &str = "function.<name>";
const HMAC_SECRET: &str = "hmac.<name>.secret";

/// The keys, in the order in which they are shown.
pub(crate) fn config_def() -> ConfigDef {
    let query = "SELECT over the table `records`, which works row by row: columns, expressions, WHERE, CASE, scalar functions, \
                 unnest(…), joins to lookup tables. AS `_key`, `_topic` and `_timestamp` set these.";
    let function = "A function that the query can call: `(a, b) -> expression`. It is put in the place of its calls, so that it \
                    takes arguments of any type. It may call other functions, but not itself.";
    let secret = "The secret of `hmac_sha256(text, '<name>')`. Let a config provider give it: `${file:…}`.";
    let keys = [
        ConfigKey::required(QUERY, ConfigType::String, Importance::High, query)
            .validated(Validator::custom(validate_query))
            .grouped("Sql", 1, Width::Long, "Query"),
        ConfigKey::optional(FUNCTION, ConfigType::String, Importance::Medium, function).grouped(
            "Sql",
            2,
            Width::Long,
            "Function",
        ),
        ConfigKey::optional(HMAC_SECRET, ConfigType::Password, Importance::Medium, secret).grouped(
            "Sql",
            3,
            Width::Medium,
            "Secret",
        ),
    ];
    keys.into_iter().chain(lookup_keys()).fold(ConfigDef::new(), ConfigDef::key)
}

fn validate_query(value: &ConfigValue) -> Result<(), String> {
    match value {
        ConfigValue::String(text) => RowwiseQuery::check(text).map_err(|refusal| refusal.to_string()),
        _ => Err("the query has no value".to_owned()),
    }
}
