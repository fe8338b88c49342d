//! The SQL that reads ranges.

use super::key_position::KeyPosition;
use super::split_plan::{KeyRange, SplitPlan};
use crate::database::{TableId, Timestamp};
use crate::source::mode_columns::ModeColumns;
use crate::source::statement::Writing;
use crate::source::stored_offset::Position;

/// Which rows the snapshot of a table has: those behind where reading begins at all, up to a position.
#[derive(Clone, Copy, Debug)]
pub(super) struct Snapshot<'a> {
    pub(super) columns: &'a ModeColumns,
    /// Where numbers begin.
    pub(super) initial_number: i64,
    /// Where times begin.
    pub(super) initial_time: Timestamp,
}

impl Snapshot<'_> {
    /// The condition of rows of the snapshot up to `until`; empty if all are.
    fn condition(&self, writing: &Writing<'_>, until: Option<Position>) -> Option<String> {
        let until = until?;
        let number = self.columns.incrementing.as_deref().map(|column| writing.name(column));
        let (Some(time), initial) = (until.timestamp, self.initial_number) else {
            let (number, last) = (number?, until.incrementing?);
            return Some(format!("{number} > {} AND {number} <= {last}", self.initial_number));
        };
        let column = writing.coalesced(&self.columns.timestamps);
        let (after, last) = (writing.literal(self.initial_time), writing.literal(time));
        Some(match number.zip(until.incrementing) {
            None => format!("{column} > {after} AND {column} <= {last}"),
            Some((number, last_number)) => format!(
                "(({column} = {after} AND {number} > {initial}) OR {column} > {after}) AND \
                (({column} = {last} AND {number} <= {last_number}) OR {column} < {last})"
            ),
        })
    }

    /// The columns that the conditions compare.
    fn compared(&self, writing: &Writing<'_>, key: &str) -> String {
        let columns = self.columns.timestamps.iter().chain(&self.columns.incrementing);
        let mut names: Vec<_> = columns.map(|column| writing.name(column)).collect();
        if names.is_empty() {
            names.push(writing.name(key));
        }
        names.join(", ")
    }
}

/// The statement that reads what is left of a range.
pub(super) fn range_rows(
    writing: &Writing<'_>,
    table: &TableId,
    plan: &SplitPlan,
    range: &KeyRange,
    snapshot: &Snapshot<'_>,
) -> String {
    let conditions = conditions(writing, plan, range, snapshot);
    let order = match KeyPosition::is_ordered(plan) {
        true => format!(" ORDER BY {} ASC", writing.name(&plan.column)),
        false => String::new(),
    };
    format!("SELECT * FROM {}{conditions}{order}", writing.table(table))
}

/// The statement that answers a row if anything is left of a range.
pub(super) fn any_row(
    writing: &Writing<'_>,
    table: &TableId,
    plan: &SplitPlan,
    range: &KeyRange,
    snapshot: &Snapshot<'_>,
) -> String {
    let conditions = conditions(writing, plan, range, snapshot);
    let columns = snapshot.compared(writing, &plan.column);
    format!("SELECT {columns} FROM {}{conditions} LIMIT 1", writing.table(table))
}

fn conditions(writing: &Writing<'_>, plan: &SplitPlan, range: &KeyRange, snapshot: &Snapshot<'_>) -> String {
    let key = writing.name(&plan.column);
    let literal = |text: &String| writing.driver.key_literal(plan.kind, text);
    let after = range.after.as_ref().map(|after| format!("{key} > {}", literal(after)));
    let up_to = range.up_to.as_ref().map(|up_to| match range.has_nulls {
        true => format!("({key} <= {} OR {key} IS NULL)", literal(up_to)),
        false => format!("{key} <= {}", literal(up_to)),
    });
    let all: Vec<_> = [after, up_to, snapshot.condition(writing, plan.until)].into_iter().flatten().collect();
    if all.is_empty() { String::new() } else { format!(" WHERE {}", all.join(" AND ")) }
}

/// The statement that answers the last row of what there is now, by its number, or by a time before another: the
/// columns of the mode, its times first.
pub(super) fn last_row(
    writing: &Writing<'_>,
    table: &TableId,
    before: Option<Timestamp>,
    snapshot: &Snapshot<'_>,
) -> String {
    let number = snapshot.columns.incrementing.as_deref().map(|column| writing.name(column));
    let (condition, order) = match before {
        None => {
            let number = number.clone().unwrap_or_default();
            (format!("{number} > {}", snapshot.initial_number), format!("{number} DESC"))
        }
        Some(before) => {
            let column = writing.coalesced(&snapshot.columns.timestamps);
            let (after, before) = (writing.literal(snapshot.initial_time), writing.literal(before));
            let then = number.as_ref().map(|number| format!(", {number} DESC")).unwrap_or_default();
            let begin = match &number {
                None => format!("{column} > {after}"),
                Some(number) => {
                    format!("(({column} = {after} AND {number} > {}) OR {column} > {after})", snapshot.initial_number)
                }
            };
            (format!("{begin} AND {column} < {before}"), format!("{column} DESC{then}"))
        }
    };
    let columns = snapshot.compared(writing, "");
    format!("SELECT {columns} FROM {} WHERE {condition} ORDER BY {order} LIMIT 1", writing.table(table))
}

/// The statement that answers keys that divide a table into at most so many ranges with as many rows each, in their
/// order; each key once, as the database compares them. `percent` of its rows are looked at.
pub(super) fn borders(
    writing: &Writing<'_>,
    table: &TableId,
    plan: &SplitPlan,
    count: usize,
    percent: f64,
    snapshot: &Snapshot<'_>,
) -> String {
    let key = writing.name(&plan.column);
    let (sample, sampled) = if percent < 100.0 { writing.driver.sample(percent) } else { Default::default() };
    // times make no difference for where to divide
    let by_number = plan.until.filter(|until| until.timestamp.is_none());
    let mut conditions = vec![format!("{key} IS NOT NULL")];
    conditions.extend(snapshot.condition(writing, by_number));
    conditions.extend((!sampled.is_empty()).then_some(sampled));
    let (from, conditions) = (writing.table(table), conditions.join(" AND "));
    let border = writing.driver.key_text(plan.kind, "volley_key");
    format!(
        "SELECT {border} AS volley_border FROM (SELECT {key} AS volley_key, ROW_NUMBER() OVER (ORDER BY {key}) AS \
        volley_place, COUNT(*) OVER () AS volley_rows FROM {from}{sample} WHERE {conditions}) AS volley_keys WHERE \
        MOD(volley_place * {count}, volley_rows) < {count} AND volley_place < volley_rows GROUP BY volley_key ORDER BY \
        volley_key"
    )
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;

    use super::super::split_plan::tests::plan;
    use super::*;
    use crate::source::test_driver::TestDriver;

    fn columns(incrementing: Option<&str>, timestamps: &[&str]) -> ModeColumns {
        ModeColumns {
            incrementing: incrementing.map(str::to_owned),
            timestamps: timestamps.iter().map(|name| (*name).to_owned()).collect(),
            keys: Vec::new(),
        }
    }

    #[test]
    fn a_range_has_its_keys_as_far_as_the_snapshot_goes() {
        let driver = TestDriver::default();
        let writing = Writing { driver: &driver, has_quotes: true, zone: Tz::UTC, suffix: "" };
        let table = TableId::new(None, None, "t");
        let sql = |columns: &ModeColumns, plan: &SplitPlan, index, position| {
            let initial_time = Timestamp::from_millis(0);
            let snapshot = Snapshot { columns, initial_number: -1, initial_time };
            range_rows(&writing, &table, plan, &plan.range(index, position), &snapshot)
        };
        let mut plan = plan(&["3", "5"]);
        let numbers = columns(Some("id"), &[]);
        let until = r#""id" > -1 AND "id" <= 9"#;
        assert_eq!(
            sql(&numbers, &plan, 0, None),
            format!(r#"SELECT * FROM "t" WHERE ("id" <= '3' OR "id" IS NULL) AND {until} ORDER BY "id" ASC"#)
        );
        assert_eq!(
            sql(&numbers, &plan, 1, Some("4")),
            format!(r#"SELECT * FROM "t" WHERE "id" > '4' AND "id" <= '5' AND {until} ORDER BY "id" ASC"#)
        );
        plan.until = Some(Position { incrementing: None, timestamp: Some(Timestamp::from_millis(8)) });
        assert_eq!(
            sql(&columns(None, &["a", "b"]), &plan, 2, None),
            r#"SELECT * FROM "t" WHERE "id" > '5' AND COALESCE("a", "b") > T0 AND COALESCE("a", "b") <= T8 ORDER BY "id" ASC"#
        );
        plan.until = Some(Position { incrementing: Some(6), timestamp: Some(Timestamp::from_millis(8)) });
        assert_eq!(
            sql(&columns(Some("n"), &["a"]), &plan, 2, None),
            r#"SELECT * FROM "t" WHERE "id" > '5' AND (("a" = T0 AND "n" > -1) OR "a" > T0) AND (("a" = T8 AND "n" <= 6) OR "a" < T8) ORDER BY "id" ASC"#
        );
        plan.until = None;
        (plan.is_unique, plan.kind) = (false, crate::database::KeyKind::Text);
        assert_eq!(sql(&columns(None, &[]), &plan, 2, None), r#"SELECT * FROM "t" WHERE "id" > '5'"#);
    }
}
