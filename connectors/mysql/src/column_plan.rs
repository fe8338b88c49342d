//! How the columns of a result are read.

use arrow::datatypes::Field;
use mysql_async::Column;
use mysql_async::consts::{ColumnFlags, ColumnType};
use volley_jdbc::ResultColumn;

use crate::parameters::{TypeSettings, ZeroDates};
use crate::value_type::{ValueType, type_name};

/// A column of a result.
#[derive(Clone, Debug)]
pub(crate) struct ColumnPlan {
    pub(crate) column: ResultColumn,
    pub(crate) value: ValueType,
}

impl ColumnPlan {
    /// The plan for a column.
    pub(crate) fn new(column: &Column, settings: &TypeSettings) -> Self {
        let (value, number) = ValueType::of(column, settings);
        let becomes_null = value.has_zero_dates() && settings.zero_dates == ZeroDates::Null;
        let is_required = column.flags().contains(ColumnFlags::NOT_NULL_FLAG) && !becomes_null;
        let column = ResultColumn {
            field: Field::new(column.name_str(), value.data_type(), !is_required),
            type_name: type_name(column),
            number,
            has_days: false,
            is_left_out_by_java: false,
        };
        Self { column, value }
    }
}

/// Whether what a statement's conditions compare with times are points in time, and not what clocks show.
pub(crate) fn compares_points_in_time(statement: &str, columns: &[Column]) -> bool {
    let conditions = statement.rfind(" WHERE ").map_or("", |place| &statement[place..]);
    let is_compared = |column: &Column| {
        let name = column.name_str();
        if conditions.contains('`') {
            conditions.contains(&format!("`{}`", name.replace('`', "``")))
        } else {
            names(conditions, &name)
        }
    };
    let has = |column_type| columns.iter().any(|column| column.column_type() == column_type && is_compared(column));
    has(ColumnType::MYSQL_TYPE_TIMESTAMP) && !has(ColumnType::MYSQL_TYPE_DATETIME)
}

/// Whether a text without marks around names has a name, and not only as a part of another.
fn names(text: &str, name: &str) -> bool {
    let is_part = |character: char| character.is_alphanumeric() || character == '_' || character == '$';
    text.match_indices(name).any(|(place, _)| {
        !text[..place].ends_with(is_part) && !text[place + name.len()..].starts_with(is_part) && !name.is_empty()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compared_columns_say_whether_times_have_a_zone() {
        let column = |column_type, name: &str| Column::new(column_type).with_name(name.as_bytes());
        let columns = [
            column(ColumnType::MYSQL_TYPE_TIMESTAMP, "at"),
            column(ColumnType::MYSQL_TYPE_DATETIME, "born"),
            column(ColumnType::MYSQL_TYPE_LONG, "id"),
        ];
        for (statement, expected) in [
            ("SELECT * FROM `t` WHERE `at` > 1", true),
            ("SELECT * FROM t WHERE at > 1", true),
            ("SELECT * FROM t WHERE born_at > 1", false),
            ("SELECT * FROM t WHERE reborn > 1 AND COALESCE(at, unborn) < 2", true),
            ("SELECT * FROM t WHERE COALESCE(at, born) < 2", false),
            ("SELECT * FROM `t` WHERE `born` > 1", false),
            ("SELECT * FROM `t` WHERE COALESCE(`at`, `born`) > 1", false),
            ("SELECT * FROM `t` WHERE `at` = 2 AND `id` > 3", true),
            ("SELECT `at` FROM `t`", false),
        ] {
            assert_eq!(compares_points_in_time(statement, &columns), expected, "{statement}");
        }
    }

    #[test]
    fn a_column_may_be_null_where_zero_dates_become_null() {
        let column = Column::new(ColumnType::MYSQL_TYPE_DATE).with_flags(ColumnFlags::NOT_NULL_FLAG);
        let is_nullable = |zero_dates| {
            let settings = TypeSettings { zero_dates, bit_is_boolean: true, tinyint1_is_bit: true, year_is_date: true };
            ColumnPlan::new(&column, &settings).column.field.is_nullable()
        };
        assert!(is_nullable(ZeroDates::Null) && !is_nullable(ZeroDates::Refuse) && !is_nullable(ZeroDates::Round));
    }
}
