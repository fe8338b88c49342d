//! `items[1].sku`: a field after a subscript. The planner accepts only `['sku']`.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{AccessExpr, Expr, Value, VisitMut, visit_expressions_mut};

/// Replaces a field after a dot by a text subscript wherever it is not part of a column's name.
pub(crate) fn name_fields<V: VisitMut>(query: &mut V) {
    let _ = visit_expressions_mut(query, |expr| {
        if let Expr::CompoundFieldAccess { root, access_chain } = expr {
            // `records.items[1]`: the part before the first subscript is a column's name.
            let of_column = match root.as_ref() {
                Expr::Identifier(_) => access_chain.iter().take_while(|access| field_of(access).is_some()).count(),
                _ => 0,
            };
            for access in &mut access_chain[of_column..] {
                if let Some(field) = field_of(access) {
                    *access = AccessExpr::Dot(Expr::Value(Value::SingleQuotedString(field).into()));
                }
            }
        }
        ControlFlow::<()>::Continue(())
    });
}

fn field_of(access: &AccessExpr) -> Option<String> {
    match access {
        AccessExpr::Dot(Expr::Identifier(ident)) => Some(ident.value.clone()),
        _ => None,
    }
}
