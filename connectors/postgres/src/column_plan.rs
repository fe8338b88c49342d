//! How the columns of a result are read.

use std::collections::HashSet;

use arrow::datatypes::Field;
use tokio_postgres::Column;
use volley_jdbc::ResultColumn;

use crate::value_type::ColumnType;

/// A column of a table: the table's number and the column's in it.
pub(crate) type TableColumnId = (u32, i16);

/// A column of a result.
#[derive(Clone, Debug)]
pub(crate) struct ColumnPlan {
    pub(crate) column: ResultColumn,
    pub(crate) column_type: ColumnType,
}

impl ColumnPlan {
    /// The plan for a column; `required`: the columns of tables that cannot be null.
    pub(crate) fn new(column: &Column, required: &HashSet<TableColumnId>) -> Self {
        let column_type = ColumnType::of(column.type_(), column.type_modifier());
        let is_required = id_of(column).is_some_and(|id| required.contains(&id));
        let column = ResultColumn {
            field: Field::new(column.name(), column_type.value.data_type(), !is_required),
            type_name: column.type_().name().to_owned(),
            number: column_type.number,
            has_days: false,
            is_left_out_by_java: column_type.is_left_out_by_java,
        };
        Self { column, column_type }
    }
}

/// Where a column of a result comes from, if from a table.
pub(crate) fn id_of(column: &Column) -> Option<TableColumnId> {
    Some((column.table_oid()?, column.column_id()?))
}

/// The statement that copies what `query` answers.
pub(crate) fn copy_statement(query: &str, plans: &[ColumnPlan]) -> String {
    if plans.iter().all(|plan| plan.column_type.cast.is_none()) {
        return format!("COPY ({query}\n) TO STDOUT (FORMAT binary)");
    }
    // names of one's own: those of the query may be there twice
    let names: Vec<_> = (1..=plans.len()).map(|place| format!("c{place}")).collect();
    let values: Vec<_> = names
        .iter()
        .zip(plans)
        .map(|(name, plan)| match plan.column_type.cast {
            Some(cast) => format!("{name}::{cast}"),
            None => name.clone(),
        })
        .collect();
    let (values, names) = (values.join(", "), names.join(", "));
    format!("COPY (SELECT {values} FROM ({query}\n) AS volley_rows ({names})) TO STDOUT (FORMAT binary)")
}

#[cfg(test)]
mod tests {
    use tokio_postgres::types::Type;
    use volley_jdbc::Number;

    use super::*;

    fn plan(type_: &Type) -> ColumnPlan {
        let column_type = ColumnType::of(type_, -1);
        let field = Field::new("a", column_type.value.data_type(), true);
        let column = ResultColumn {
            field,
            type_name: String::new(),
            number: Number::No,
            has_days: false,
            is_left_out_by_java: false,
        };
        ColumnPlan { column, column_type }
    }

    #[test]
    fn only_what_has_no_binary_form_of_ours_is_cast() {
        let sql = copy_statement("SELECT 1 -- one", &[plan(&Type::INT4)]);
        assert_eq!(sql, "COPY (SELECT 1 -- one\n) TO STDOUT (FORMAT binary)");
        let sql = copy_statement("SELECT a, a", &[plan(&Type::INT4), plan(&Type::INET), plan(&Type::INET_ARRAY)]);
        assert_eq!(
            sql,
            "COPY (SELECT c1, c2::text, c3::text[] FROM (SELECT a, a\n) AS volley_rows (c1, c2, c3)) TO STDOUT \
            (FORMAT binary)"
        );
    }
}
