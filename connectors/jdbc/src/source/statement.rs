//! The SQL that reads what is new.

use std::fmt;

use volley_api::{Error, Secret};

use crate::database::{Driver, TableId, Timestamp};

use chrono_tz::Tz;

/// What is read.
#[derive(Clone, Debug)]
pub(super) enum Subject {
    /// A table.
    Table(TableId),
    /// A query of the user's; `name`: of several.
    Query { name: Option<String>, text: Secret },
}

impl Subject {
    /// The table, if it is one.
    pub(super) fn table(&self) -> Option<&TableId> {
        match self {
            Self::Table(table) => Some(table),
            Self::Query { .. } => None,
        }
    }

    /// The name of the schema of its records, if it gives one.
    pub(super) fn schema_name(&self) -> Option<&str> {
        match self {
            Self::Table(table) => Some(&table.table),
            Self::Query { name, .. } => name.as_deref(),
        }
    }

    /// An error while it was read, with its name.
    pub(super) fn failed(&self, error: Error) -> Error {
        Error::new(error.kind(), format!("could not read {self}: {error}")).with_source(error)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table(table) => write!(f, "table {table}"),
            Self::Query { name: None, .. } => f.write_str("the query"),
            Self::Query { name: Some(name), .. } => write!(f, "query `{name}`"),
        }
    }
}

/// Which of its rows.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Criteria {
    /// All.
    Everything,
    /// Those with a greater number, up to one.
    Incrementing { column: String, after: i64, up_to: Option<i64> },
    /// Those with a time between, those of one time in the order of a column.
    Timestamp { columns: Vec<String>, after: Timestamp, before: Timestamp, then: Option<String> },
    /// Those with a later time, or the same and a greater number.
    Both { columns: Vec<String>, after: Timestamp, before: Timestamp, column: String, after_number: i64 },
}

/// How SQL is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Writing<'a> {
    pub(super) driver: &'a dyn Driver,
    /// Whether names stand in quotes.
    pub(super) has_quotes: bool,
    /// Of columns without a time zone.
    pub(super) zone: Tz,
    /// What stands behind everything.
    pub(super) suffix: &'a str,
}

impl Writing<'_> {
    /// The statement that reads those rows of `subject`.
    pub(super) fn statement(&self, subject: &Subject, criteria: &Criteria) -> String {
        let mut sql = match subject {
            Subject::Table(table) => format!("SELECT * FROM {}", table.in_sql(self.quote())),
            // a query may end with a comment, which ends with its line
            Subject::Query { text, .. } => {
                format!("{}\n", text.reveal().trim().trim_end_matches([';', ' ', '\n', '\r', '\t']))
            }
        };
        sql.push_str(&self.conditions(criteria));
        if !self.suffix.is_empty() {
            sql.push(' ');
            sql.push_str(self.suffix);
        }
        sql
    }

    /// The statement that reads the greatest value of a column of `subject`, of all its rows.
    pub(super) fn greatest(&self, subject: &Subject, column: &str) -> String {
        let column = self.name(column);
        let from = match subject {
            Subject::Table(table) => table.in_sql(self.quote()),
            Subject::Query { .. } => {
                let whole = Writing { suffix: "", ..*self };
                format!("({}) AS volley_rows", whole.statement(subject, &Criteria::Everything))
            }
        };
        format!("SELECT MAX({column}) AS volley_greatest FROM {from}")
    }

    fn conditions(&self, criteria: &Criteria) -> String {
        match criteria {
            Criteria::Everything => String::new(),
            Criteria::Incrementing { column, after, up_to } => {
                let column = self.name(column);
                let up_to = up_to.map(|number| format!(" AND {column} <= {number}")).unwrap_or_default();
                format!(" WHERE {column} > {after}{up_to} ORDER BY {column} ASC")
            }
            Criteria::Timestamp { columns, after, before, then } => {
                let time = self.coalesced(columns);
                let (after, before) = (self.literal(*after), self.literal(*before));
                let order = then.iter().map(|column| self.name(column));
                let order = [time.clone()].into_iter().chain(order).collect::<Vec<_>>().join(", ");
                format!(" WHERE {time} > {after} AND {time} < {before} ORDER BY {order} ASC")
            }
            Criteria::Both { columns, after, before, column, after_number } => {
                let (time, column) = (self.coalesced(columns), self.name(column));
                let (after, before) = (self.literal(*after), self.literal(*before));
                format!(
                    " WHERE {time} < {before} AND (({time} = {after} AND {column} > {after_number}) OR {time} > \
                    {after}) ORDER BY {time}, {column} ASC"
                )
            }
        }
    }

    /// The first of columns that is not null.
    pub(super) fn coalesced(&self, columns: &[String]) -> String {
        let names: Vec<_> = columns.iter().map(|column| self.name(column)).collect();
        match &names[..] {
            [name] => name.clone(),
            names => format!("COALESCE({})", names.join(", ")),
        }
    }

    /// A point in time.
    pub(super) fn literal(&self, at: Timestamp) -> String {
        self.driver.timestamp_literal(at, self.zone)
    }

    /// A table's name.
    pub(super) fn table(&self, table: &TableId) -> String {
        table.in_sql(self.quote())
    }

    /// A column's name.
    pub(super) fn name(&self, column: &str) -> String {
        crate::database::quoted(column, self.quote())
    }

    fn quote(&self) -> Option<char> {
        self.has_quotes.then(|| self.driver.quote())
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_driver::TestDriver;
    use super::*;

    fn sql(subject: &Subject, criteria: &Criteria, has_quotes: bool, suffix: &str) -> String {
        Writing { driver: &TestDriver::default(), has_quotes, zone: Tz::UTC, suffix }.statement(subject, criteria)
    }

    #[test]
    fn each_mode_reads_what_java_reads() {
        let table = Subject::Table(TableId::new(None, Some("public"), "orders"));
        let (after, before) = (Timestamp::from_millis(1), Timestamp::from_millis(2));
        let column = "id".to_owned();
        assert_eq!(sql(&table, &Criteria::Everything, true, ""), r#"SELECT * FROM "public"."orders""#);
        assert_eq!(
            sql(&table, &Criteria::Incrementing { column: column.clone(), after: -1, up_to: None }, false, "LIMIT 5"),
            "SELECT * FROM public.orders WHERE id > -1 ORDER BY id ASC LIMIT 5"
        );
        let columns = vec!["a".to_owned(), "b".to_owned()];
        assert_eq!(
            sql(&table, &Criteria::Timestamp { columns: columns.clone(), after, before, then: None }, true, ""),
            format!(
                r#"SELECT * FROM "public"."orders" WHERE {both} > T1 AND {both} < T2 ORDER BY {both} ASC"#,
                both = r#"COALESCE("a", "b")"#
            )
        );
        let columns = vec!["a".to_owned()];
        assert_eq!(
            sql(&table, &Criteria::Both { columns, after, before, column, after_number: 7 }, false, ""),
            "SELECT * FROM public.orders WHERE a < T2 AND ((a = T1 AND id > 7) OR a > T1) ORDER BY a, id ASC"
        );
    }

    #[test]
    fn conditions_stand_behind_the_query_whatever_it_ends_with() {
        let query = Subject::Query { name: None, text: Secret::new("SELECT 1 -- all ;\n;  ") };
        let criteria = Criteria::Incrementing { column: "a".to_owned(), after: 1, up_to: Some(9) };
        assert_eq!(sql(&query, &criteria, false, ""), "SELECT 1 -- all\n WHERE a > 1 AND a <= 9 ORDER BY a ASC");
        let writing = Writing { driver: &TestDriver::default(), has_quotes: true, zone: Tz::UTC, suffix: "LIMIT 1" };
        assert_eq!(
            writing.greatest(&query, "a"),
            "SELECT MAX(\"a\") AS volley_greatest FROM (SELECT 1 -- all\n) AS volley_rows"
        );
    }
}
