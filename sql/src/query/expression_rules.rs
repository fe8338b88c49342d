//! Expressions that parse but that the planner does not support. They are refused with an alternative, since the
//! planner's own message is its syntax tree.

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, UnaryOperator,
};

/// The reason to refuse an expression, without those of its parts; `None` if it may be valid.
pub(crate) fn refusal_of(expr: &Expr) -> Option<String> {
    let reason = match expr {
        Expr::RLike { .. } => "RLIKE is not possible: use ~ or regexp_like(…)",
        Expr::Collate { .. } => "COLLATE is not possible",
        Expr::IsNormalized { .. } => "IS NORMALIZED is not possible",
        Expr::Convert { .. } => "CONVERT is not possible: use CAST",
        Expr::JsonAccess { .. } => "`:` takes nothing out of a value: write address.city or address['city']",
        Expr::MatchAgainst { .. } => "MATCH … AGAINST is not possible: use LIKE or ~",
        Expr::MemberOf { .. } => "MEMBER OF is not possible: use array_has(list, value)",
        Expr::InUnnest { .. } => "IN UNNEST is not possible: use array_has(list, value)",
        Expr::Substring { substring_from: None, substring_for: None, .. } => {
            "a substring needs a place to begin: substr(text, 2)"
        }
        Expr::Identifier(ident) if ident.quote_style.is_none() && ident.value.starts_with('@') => {
            "variables are not possible"
        }
        Expr::UnaryOp { op, .. } => return unary(op),
        Expr::BinaryOp { op, .. } => return binary(op),
        Expr::Function(function) => return star(function),
        _ => return None,
    };
    Some(reason.to_owned())
}

fn unary(op: &UnaryOperator) -> Option<String> {
    let is_possible = matches!(op, UnaryOperator::Plus | UnaryOperator::Minus | UnaryOperator::Not);
    (!is_possible).then(|| format!("the operator {op} is not possible"))
}

fn binary(op: &BinaryOperator) -> Option<String> {
    use BinaryOperator as B;
    match op {
        B::Custom(_) | B::AtAt | B::HashMinus | B::AtQuestion | B::Question | B::QuestionAnd | B::QuestionPipe => {
            Some(format!("the operator {op} is not possible"))
        }
        _ => None,
    }
}

/// `upper(*)`: only `count` accepts a `*`, and it is not a row-wise function.
fn star(function: &Function) -> Option<String> {
    let FunctionArguments::List(list) = &function.args else { return None };
    let is_star = |arg: &FunctionArg| {
        let (FunctionArg::Named { arg, .. } | FunctionArg::ExprNamed { arg, .. } | FunctionArg::Unnamed(arg)) = arg;
        matches!(arg, FunctionArgExpr::Wildcard | FunctionArgExpr::QualifiedWildcard(_))
    };
    list.args.iter().any(is_star).then(|| format!("`{}` takes no *: name the columns", function.name))
}
