//! Which columns of a table say what is new.

use volley_api::{Error, Result};
use volley_java::JavaRegex;

use crate::database::TableId;

/// Columns: the same for all tables, or for each by its name.
#[derive(Clone, Debug, Default)]
pub(in crate::source) struct ColumnChoice {
    /// For all tables.
    pub(in crate::source) names: Vec<String>,
    /// For tables whose full name an expression matches.
    pub(in crate::source) by_table: Vec<(JavaRegex, Vec<String>)>,
}

impl ColumnChoice {
    /// `regex:column`
    pub(in crate::source) fn parse_one(item: &str) -> std::result::Result<(JavaRegex, Vec<String>), String> {
        let (regex, column) = item
            .rsplit_once(':')
            .filter(|(regex, column)| !regex.is_empty() && !column.is_empty())
            .ok_or_else(|| format!("`{item}` is not of the form `regular expression:column`"))?;
        Ok((compiled(regex)?, vec![column.trim().to_owned()]))
    }

    /// `regex:[column|column]`
    pub(in crate::source) fn parse_many(item: &str) -> std::result::Result<(JavaRegex, Vec<String>), String> {
        let parts = item.rsplit_once(":[").and_then(|(regex, columns)| Some((regex, columns.strip_suffix(']')?)));
        let (regex, columns) = parts
            .filter(|(regex, columns)| !regex.is_empty() && !columns.trim().is_empty())
            .ok_or_else(|| format!("`{item}` is not of the form `regular expression:[column|column]`"))?;
        Ok((compiled(regex)?, columns.split('|').map(|column| column.trim().to_owned()).collect()))
    }

    /// The columns of a table (`None`: of a query).
    ///
    /// # Errors
    /// `Config` where expressions choose, and none or several match.
    pub(in crate::source) fn columns(&self, table: Option<&TableId>, key: &str) -> Result<Vec<String>> {
        let Some(table) = table.filter(|_| !self.by_table.is_empty()) else { return Ok(self.names.clone()) };
        let mut matching = self.by_table.iter().filter(|(regex, _)| matches(regex, table));
        match (matching.next(), matching.next()) {
            (Some((_, columns)), None) => Ok(columns.clone()),
            (None, _) => Err(Error::config(format!("no expression of `{key}` matches table {table}"))),
            (Some((first, _)), Some((second, _))) => {
                Err(Error::config(format!("two expressions of `{key}` match table {table}: {first} and {second}")))
            }
        }
    }
}

/// Whether an expression matches the full name of a table; drivers of Java differ in whether that has a catalog.
pub(in crate::source) fn matches(regex: &JavaRegex, table: &TableId) -> bool {
    let is_match = |name: String| regex.matches(&name).unwrap_or(false);
    is_match(table.to_string()) || is_match(table.without_catalog().to_string())
}

pub(in crate::source) fn compiled(regex: &str) -> std::result::Result<JavaRegex, String> {
    JavaRegex::compile(regex).map_err(|error| format!("`{regex}` is no regular expression: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_table_has_the_columns_of_the_one_expression_that_matches() {
        let by_table = ["shop\\.public\\.o.*:[updated|created]", "public\\.items:[at]"];
        let by_table = by_table.map(|item| ColumnChoice::parse_many(item).unwrap()).to_vec();
        let choice = ColumnChoice { names: Vec::new(), by_table };
        let columns = |table: &str| choice.columns(Some(&TableId::new(Some("shop"), Some("public"), table)), "k");
        assert_eq!(columns("orders").unwrap(), ["updated", "created"]);
        assert_eq!(columns("items").unwrap(), ["at"]);
        assert!(columns("later").unwrap_err().to_string().contains("shop.public.later"));
        let (_, columns) = ColumnChoice::parse_one("a:b:c").unwrap();
        assert_eq!(columns, ["c"]);
        for wrong in ["a", "a:[]", ":[b]", "(:[b]"] {
            assert!(ColumnChoice::parse_many(wrong).is_err(), "{wrong}");
        }
    }
}
