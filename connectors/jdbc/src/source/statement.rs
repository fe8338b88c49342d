//! The SQL that reads what is new.

use volley_api::Secret;

use crate::database::{Driver, TableId, Timestamp};

use chrono_tz::Tz;

/// What is read.
#[derive(Clone, Debug)]
pub(super) enum Subject {
    /// A table.
    Table(TableId),
    /// A query of the user's.
    Query(Secret),
}

/// Which of its rows.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Criteria {
    /// All.
    Everything,
    /// Those with a greater number.
    Incrementing { column: String, after: i64 },
    /// Those with a time between.
    Timestamp { columns: Vec<String>, after: Timestamp, before: Timestamp },
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
            Subject::Query(query) => {
                format!("{}\n", query.reveal().trim().trim_end_matches([';', ' ', '\n', '\r', '\t']))
            }
        };
        sql.push_str(&self.conditions(criteria));
        if !self.suffix.is_empty() {
            sql.push(' ');
            sql.push_str(self.suffix);
        }
        sql
    }

    fn conditions(&self, criteria: &Criteria) -> String {
        match criteria {
            Criteria::Everything => String::new(),
            Criteria::Incrementing { column, after } => {
                let column = self.name(column);
                format!(" WHERE {column} > {after} ORDER BY {column} ASC")
            }
            Criteria::Timestamp { columns, after, before } => {
                let time = self.coalesced(columns);
                let (after, before) = (self.literal(*after), self.literal(*before));
                format!(" WHERE {time} > {after} AND {time} < {before} ORDER BY {time} ASC")
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

    fn coalesced(&self, columns: &[String]) -> String {
        let names: Vec<_> = columns.iter().map(|column| self.name(column)).collect();
        match &names[..] {
            [name] => name.clone(),
            names => format!("COALESCE({})", names.join(", ")),
        }
    }

    fn literal(&self, at: Timestamp) -> String {
        self.driver.timestamp_literal(at, self.zone)
    }

    fn name(&self, column: &str) -> String {
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
            sql(&table, &Criteria::Incrementing { column: column.clone(), after: -1 }, false, "LIMIT 5"),
            "SELECT * FROM public.orders WHERE id > -1 ORDER BY id ASC LIMIT 5"
        );
        let columns = vec!["a".to_owned(), "b".to_owned()];
        assert_eq!(
            sql(&table, &Criteria::Timestamp { columns: columns.clone(), after, before }, true, ""),
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
        let query = Subject::Query(Secret::new("SELECT 1 -- all ;\n;  "));
        let criteria = Criteria::Incrementing { column: "a".to_owned(), after: 1 };
        assert_eq!(sql(&query, &criteria, false, ""), "SELECT 1 -- all\n WHERE a > 1 ORDER BY a ASC");
    }
}
