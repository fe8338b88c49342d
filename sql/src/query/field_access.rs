//! Fields that the parser or the planner takes for something else: `user`, `items[1].sku`.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    AccessExpr, Expr, Function, FunctionArguments, Ident, Value, VisitMut, visit_expressions_mut,
};

use super::function_names::{FunctionKind, kind_of};

/// Makes fields of what the parser takes for functions that are called without parentheses, such as `user`, unless there is
/// such a function.
pub(crate) fn fields_for_unknown_functions<V: VisitMut>(query: &mut V) {
    let _ = visit_expressions_mut(query, |expr| {
        if let Expr::Function(function) = expr
            && let Some(parts) = parts_without_call(function)
        {
            *expr = match <[Ident; 1]>::try_from(parts) {
                Ok([column]) => Expr::Identifier(column),
                Err(parts) => Expr::CompoundIdentifier(parts),
            };
        }
        ControlFlow::<()>::Continue(())
    });
}

fn parts_without_call(function: &Function) -> Option<Vec<Ident>> {
    let is_known = kind_of(&function.name.to_string().to_lowercase()) != FunctionKind::Unknown;
    if is_known || !matches!(function.args, FunctionArguments::None) {
        return None;
    }
    function.name.0.iter().map(|part| part.as_ident().cloned()).collect()
}

/// `items[1].sku`, a field after a subscript, of which the planner accepts only `['sku']`: replaces a field after a dot by a text subscript wherever it is not part of a column's name.
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
