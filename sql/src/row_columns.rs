//! Columns that are computed for each record by itself, and always alike.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::LazyLock;

use datafusion::execution::SessionStateDefaults;
use datafusion::logical_expr::Volatility;
use datafusion::sql::sqlparser::ast::{Expr, visit_expressions};
use volley_api::{ConfigMap, Error, Result, Transformation};

use crate::query::parse_query;
use crate::sql::Sql;
use crate::sql_config::QUERY;

/// The names of functions that give something else each time.
static CHANGING: LazyLock<HashSet<String>> = LazyLock::new(|| {
    SessionStateDefaults::default_scalar_functions()
        .iter()
        .filter(|function| function.signature().volatility != Volatility::Immutable)
        .flat_map(|function| std::iter::once(function.name()).chain(function.aliases().iter().map(String::as_str)))
        // their results depend on the session's time zone, which is UTC
        .filter(|name| !name.starts_with("to_"))
        .map(str::to_owned)
        .collect()
});

/// The transformation to these columns. `select_list`: what stands behind SELECT.
///
/// # Errors
/// `Config` if it is none, or if a column depends on time or chance.
pub(crate) fn row_columns(select_list: &str) -> Result<Box<dyn Transformation>> {
    let query = format!("SELECT {select_list} FROM records");
    let config = ConfigMap::from_iter([(QUERY.to_owned(), query.clone())]);
    let transformation = Sql::new(&config)?;
    if let Some(function) = changing_function(&query) {
        return Err(Error::config(format!(
            "`{function}` depends on time or chance: a record that is read again would have another value"
        )));
    }
    Ok(Box::new(transformation))
}

fn changing_function(query: &str) -> Option<String> {
    let query = parse_query(query).ok()?;
    let found = visit_expressions(&query, |expr| {
        let name = match expr {
            Expr::Function(function) => function.name.to_string().to_lowercase(),
            _ => return ControlFlow::Continue(()),
        };
        if CHANGING.contains(&name) { ControlFlow::Break(name) } else { ControlFlow::Continue(()) }
    });
    found.break_value()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_that_a_record_would_not_have_again_are_refused() {
        for list in
            ["date_trunc('day', at) AS day, upper(country) AS c", "_offset / 1000 AS block", "to_char(at, '%Y') AS y"]
        {
            assert!(row_columns(list).is_ok(), "{list}: {:?}", row_columns(list).err());
        }
        for list in
            ["now() AS n", "current_date AS d", "random() > 0.5 AS coin", "concat('a', uuid()) AS u", "today() AS t"]
        {
            let error = row_columns(list).err().unwrap().to_string();
            assert!(error.contains("time or chance"), "{list}: {error}");
        }
        for list in ["count(*) AS n", "uper(country) AS c", ""] {
            assert!(row_columns(list).is_err(), "{list}");
        }
    }
}
