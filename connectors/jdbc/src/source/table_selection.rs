//! Which tables are read.

use volley_api::{Config, Error, Result};
use volley_java::JavaRegex;

use super::config::column_choice::{compiled, matches};
use super::config::config_keys::{
    BLACKLIST, CATALOG_PATTERN, EXCLUDE, INCLUDE, SCHEMA_PATTERN, TABLE_TYPES, WHITELIST,
};
use crate::database::{TableId, TableSearch};

/// Which tables are read.
#[derive(Clone, Debug)]
pub(super) struct TableSelection {
    /// What is asked of the database.
    pub(super) search: TableSearch,
    whitelist: Vec<String>,
    blacklist: Vec<String>,
    include: Vec<JavaRegex>,
    exclude: Vec<JavaRegex>,
}

impl TableSelection {
    pub(super) fn from_config(config: &Config) -> Result<Self> {
        let pattern = |key: &str| config.string(key).filter(|pattern| !pattern.is_empty()).map(str::to_owned);
        let regexes = |key: &str| {
            let regexes = config.list(key).iter().map(|regex| compiled(regex));
            regexes
                .collect::<std::result::Result<Vec<_>, _>>()
                .map_err(|reason| Error::config(format!("invalid `{key}`: {reason}")))
        };
        Ok(Self {
            search: TableSearch {
                catalog: pattern(CATALOG_PATTERN),
                schema: pattern(SCHEMA_PATTERN),
                types: config.list(TABLE_TYPES).to_vec(),
            },
            whitelist: config.list(WHITELIST).to_vec(),
            blacklist: config.list(BLACKLIST).to_vec(),
            include: regexes(INCLUDE)?,
            exclude: regexes(EXCLUDE)?,
        })
    }

    /// Those of `tables` that are read.
    ///
    /// # Errors
    /// `Config` if two of them have one name: their rows would go to one topic.
    pub(super) fn select(&self, tables: Vec<TableId>, quote: char) -> Result<Vec<TableId>> {
        for wanted in &self.whitelist {
            if !tables.iter().any(|table| table.names(quote).contains(wanted)) {
                tracing::warn!(table = wanted, "a table of `{WHITELIST}` is not there, or the user may not see it");
            }
        }
        let selected: Vec<_> = tables.into_iter().filter(|table| self.includes(table, quote)).collect();
        for (place, table) in selected.iter().enumerate() {
            if let Some(other) = selected[..place].iter().find(|other| other.table == table.table) {
                return Err(Error::config(format!(
                    "tables {other} and {table} have the same name, so that both would go to one topic: choose one by \
                     `{WHITELIST}` or `{SCHEMA_PATTERN}`"
                )));
            }
        }
        Ok(selected)
    }

    fn includes(&self, table: &TableId, quote: char) -> bool {
        let is_listed = |list: &[String]| !list.is_empty() && table.names(quote).iter().any(|name| list.contains(name));
        let is_matched = |regexes: &[JavaRegex]| regexes.iter().any(|regex| matches(regex, table));
        (self.whitelist.is_empty() || is_listed(&self.whitelist))
            && !is_listed(&self.blacklist)
            && (self.include.is_empty() || is_matched(&self.include))
            && !is_matched(&self.exclude)
    }
}

#[cfg(test)]
mod tests {
    use volley_api::testing::config_map;

    use super::super::config::config_keys::{Flavour, config_def};
    use super::*;

    fn selected(keys: &[(&str, &str)]) -> Result<Vec<String>> {
        let base = [("connection.url", "jdbc:x:y"), ("mode", "bulk"), ("topic.prefix", "p-")];
        let config = config_def(Flavour::Confluent).parse(&config_map(&[&base, keys].concat())).unwrap();
        let tables = [("public", "orders"), ("public", "items"), ("audit", "log")];
        let tables = tables.map(|(schema, table)| TableId::new(Some("shop"), Some(schema), table)).to_vec();
        let selected = TableSelection::from_config(&config)?.select(tables, '"')?;
        Ok(selected.into_iter().map(|table| table.table).collect())
    }

    #[test]
    fn tables_are_chosen_by_lists_and_by_expressions() {
        for (key, value, expected) in [
            ("table.whitelist", "public.orders, log", &["orders", "log"][..]),
            ("table.whitelist", "\"public\".\"orders\"", &["orders"]),
            ("table.blacklist", "shop.public.orders", &["items", "log"]),
            ("table.include.list", "public\\..*", &["orders", "items"]),
            ("table.exclude.list", "shop\\.public\\..*", &["log"]),
            ("table.whitelist", "none", &[]),
        ] {
            assert_eq!(selected(&[(key, value)]).unwrap(), expected, "{key}={value}");
        }
    }

    #[test]
    fn two_tables_of_one_name_are_refused() {
        let config = config_def(Flavour::Confluent)
            .parse(&config_map(&[("connection.url", "jdbc:x:y"), ("mode", "bulk"), ("topic.prefix", "")]))
            .unwrap();
        let tables = vec![TableId::new(None, Some("a"), "t"), TableId::new(None, Some("b"), "t")];
        let error = TableSelection::from_config(&config).unwrap().select(tables, '"').unwrap_err();
        assert!(error.to_string().contains("a.t and b.t"), "{error}");
    }
}
