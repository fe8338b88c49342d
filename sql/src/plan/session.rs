//! The setup of DataFusion. It reads neither the environment nor files.

use datafusion::error::Result;
use datafusion::prelude::{SessionConfig, SessionContext};

use crate::functions;

/// A session with one partition, case-sensitive names, plain strings, and all functions that need no settings.
pub(crate) fn new_session() -> Result<SessionContext> {
    let mut session = SessionContext::new_with_config(session_config());
    functions::register(&mut session)?;
    Ok(session)
}

/// Case-sensitive names, plain strings, one partition.
pub(crate) fn session_config() -> SessionConfig {
    let mut config = SessionConfig::new().with_target_partitions(1).with_information_schema(false);
    let options = config.options_mut();
    // JSON fields are often in camel case, and may differ by case only.
    options.sql_parser.enable_ident_normalization = false;
    options.sql_parser.map_string_types_to_utf8view = false;
    options.sql_parser.collect_spans = true;
    // Dynamic filters of one execution would apply in the next one.
    options.optimizer.enable_dynamic_filter_pushdown = false;
    options.optimizer.enable_join_dynamic_filter_pushdown = false;
    options.optimizer.enable_topk_dynamic_filter_pushdown = false;
    options.optimizer.enable_aggregate_dynamic_filter_pushdown = false;
    config
}
