//! Prepares the SELECT list for planning: `*` means the value's columns only, and every output column gets the name
//! that a user expects.

use datafusion::sql::sqlparser::ast::{
    AccessExpr, ExcludeSelectItem, Expr, Ident, ObjectName, ObjectNamePart, Query, SelectItem,
    SelectItemQualifiedWildcardKind, SetExpr, Spanned, Subscript, Value, WildcardAdditionalOptions,
};
use datafusion::sql::sqlparser::keywords::Keyword;

use super::position::{Position, Refusal};
use super::statement::Tokens;
use crate::plan::Role;
use crate::records_table::MetaColumn;

/// Rewrites the SELECT list of `query`, which refers to `records` as `records_name`.
pub(crate) fn prepare_select_list(query: &mut Query, records_name: &str, tokens: &Tokens) -> Result<(), Refusal> {
    let SetExpr::Select(select) = query.body.as_mut() else {
        return Ok(());
    };
    select.distinct = None;
    let start = tokens.keyword(&[Keyword::SELECT]);
    if select.projection.is_empty() {
        return Err(Refusal::new(start, "the query selects nothing"));
    }
    for item in &mut select.projection {
        prepare(item, records_name, start)?;
    }
    if select.projection.iter().all(sets_metadata) {
        let reason = "the query selects no column of the value: add * or the columns to keep";
        return Err(Refusal::new(start, reason));
    }
    Ok(())
}

fn prepare(item: &mut SelectItem, records_name: &str, start: Position) -> Result<(), Refusal> {
    let at = Position::of(item.span(), start);
    match item {
        SelectItem::UnnamedExpr(expr) => {
            if let Some(named) = named_by_its_text(expr) {
                *item = named;
            }
            Ok(())
        }
        SelectItem::ExprWithAlias { .. } => Ok(()),
        SelectItem::ExprWithAliases { .. } => Err(Refusal::new(at, "an expression can have one name only")),
        SelectItem::Wildcard(options) => exclude_metadata(options, at),
        SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), options) => {
            match name.0.as_slice() {
                [part] if part.as_ident().is_some_and(|ident| ident.value == records_name) => {
                    exclude_metadata(options, at)
                }
                _ => Ok(()),
            }
        }
        SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::Expr(_), _) => {
            Err(Refusal::new(at, "`.*` is possible after the name of a table only; use unnest(…) for a struct"))
        }
    }
}

/// An expression without alias with its name; `None` if the planner's name is right.
pub(crate) fn named_by_its_text(expr: &Expr) -> Option<SelectItem> {
    let alias = Ident::with_quote('"', name_of(expr)?);
    Some(SelectItem::ExprWithAlias { expr: expr.clone(), alias })
}

/// The name of an expression without alias; `None` if the planner's name is right.
fn name_of(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Identifier(_) => None,
        Expr::CompoundIdentifier(parts) => parts.last().map(|last| last.value.clone()),
        Expr::Nested(inner) => name_of(inner).or_else(|| identifier(inner)),
        Expr::Cast { expr: inner, .. } => {
            name_of(inner).or_else(|| identifier(inner)).or_else(|| Some(inner.to_string()))
        }
        Expr::CompoundFieldAccess { access_chain, .. } => {
            let last = access_chain.last().and_then(accessed_name);
            Some(last.unwrap_or_else(|| expr.to_string()))
        }
        // A struct becomes several columns, which cannot share an alias.
        Expr::Function(function) if function.name.to_string().eq_ignore_ascii_case("unnest") => None,
        other => Some(other.to_string()),
    }
}

fn identifier(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Identifier(ident) => Some(ident.value.clone()),
        _ => None,
    }
}

fn accessed_name(access: &AccessExpr) -> Option<String> {
    match access {
        AccessExpr::Dot(Expr::Identifier(ident)) => Some(ident.value.clone()),
        AccessExpr::Subscript(Subscript::Index { index: Expr::Value(value) }) => match &value.value {
            Value::SingleQuotedString(name) => Some(name.clone()),
            _ => None,
        },
        _ => None,
    }
}

/// Whether an item sets the key, topic or timestamp rather than a field of the value.
fn sets_metadata(item: &SelectItem) -> bool {
    let name = match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(alias.value.as_str()),
        SelectItem::UnnamedExpr(Expr::Identifier(ident)) => Some(ident.value.as_str()),
        _ => None,
    };
    name.is_some_and(|name| Role::of(name) != Role::Value)
}

fn exclude_metadata(options: &mut WildcardAdditionalOptions, at: Position) -> Result<(), Refusal> {
    if options.opt_alias.is_some() || options.opt_ilike.is_some() || options.opt_rename.is_some() {
        return Err(Refusal::new(at, "only EXCLUDE, EXCEPT and REPLACE are possible after *"));
    }
    let mut excluded = match options.opt_exclude.take() {
        None => Vec::new(),
        Some(ExcludeSelectItem::Single(name)) => vec![name],
        Some(ExcludeSelectItem::Multiple(names)) => names,
    };
    let except = options.opt_except.take();
    if let Some(except) = except {
        let names = std::iter::once(except.first_element).chain(except.additional_elements);
        excluded.extend(names.map(|name| ObjectName(vec![ObjectNamePart::Identifier(name)])));
    }
    let named = |name: &ObjectName, column: MetaColumn| match name.0.as_slice() {
        [part] => part.as_ident().is_some_and(|ident| ident.value == column.name()),
        _ => false,
    };
    excluded.retain(|name| !MetaColumn::ALL.iter().any(|column| named(name, *column)));
    let metadata = MetaColumn::ALL.iter().map(|column| Ident::with_quote('"', column.name()));
    excluded.extend(metadata.map(|ident| ObjectName(vec![ObjectNamePart::Identifier(ident)])));
    options.opt_exclude = Some(ExcludeSelectItem::Multiple(excluded));
    Ok(())
}
