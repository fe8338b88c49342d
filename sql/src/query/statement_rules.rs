//! The rules for row-wise queries. Each refusal has the position and the reason.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    AccessExpr, Distinct, Expr, Function, FunctionArguments, GroupByExpr, Ident, Join, JoinOperator, ObjectName, Query,
    Select, SetExpr, Spanned, TableFactor, TableWithJoins, Value, ValueWithSpan, Visit, Visitor,
};
use datafusion::sql::sqlparser::keywords::Keyword;

use super::expression_rules::refusal_of;
use super::function_names::{FunctionKind, kind_of};
use super::named_fields::{Step, path_of, path_of_list};
use super::position::{Position, Refusal};
use super::statement::{RECORDS, Tokens};
use super::user_function::arguments_of;
use crate::functions::HMAC;

/// Maximum depth of an expression. The planner and the operators recurse over it.
pub(super) const MAX_DEPTH: usize = 400;

const ROW_BY_ROW: &str = "a transformation works row by row, so that each record keeps its offset";

/// The results of the check.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) records_name: String,
    pub(crate) tables: Vec<(String, Position)>,
    pub(crate) columns: Vec<Vec<Ident>>,
    pub(crate) paths: Vec<Vec<Step>>,
    /// The query's names for other tables.
    pub(crate) lookup_names: Vec<String>,
    /// The names of secrets in calls of functions.
    pub(crate) secrets: Vec<(String, Position)>,
}

/// Refuses a query that is not one row-wise SELECT from `records`. `knows_functions`: whether a function that is not known
/// here is none.
pub(crate) fn check_query(query: &Query, tokens: &Tokens, knows_functions: bool) -> Result<Found, Refusal> {
    let select = select_of(query, tokens)?;
    check_clauses(query, select, tokens)?;
    let mut tables = Tables { tokens, found: Found::default() };
    tables.check(select)?;
    let mut expressions = Expressions { depth: 0, members: Vec::new(), knows_functions, found: tables.found };
    match select.visit(&mut expressions) {
        ControlFlow::Break(refusal) => Err(refusal),
        ControlFlow::Continue(()) => Ok(expressions.found),
    }
}

/// Refuses an expression that no query could have.
pub(super) fn check_expression(expr: &Expr) -> Result<(), Refusal> {
    let mut expressions = Expressions { depth: 0, members: Vec::new(), knows_functions: true, found: Found::default() };
    match expr.visit(&mut expressions) {
        ControlFlow::Break(refusal) => Err(refusal),
        ControlFlow::Continue(()) => Ok(()),
    }
}

fn select_of<'q>(query: &'q Query, tokens: &Tokens) -> Result<&'q Select, Refusal> {
    use Keyword::{EXCEPT, INTERSECT, MINUS, TABLE, UNION, VALUES, WITH};
    if query.with.is_some() {
        let reason = "WITH is not possible: write one SELECT over `records`";
        return Err(Refusal::new(tokens.keyword(&[WITH]), reason));
    }
    match query.body.as_ref() {
        SetExpr::Select(select) => Ok(select),
        SetExpr::SetOperation { op, right, .. } => {
            let position = tokens.keyword_before(&[UNION, EXCEPT, INTERSECT, MINUS], right.span().start);
            Err(Refusal::new(position, format!("{op} is not possible: {ROW_BY_ROW}")))
        }
        SetExpr::Query(inner) => {
            let position = Position::of(inner.span(), Position::START);
            Err(Refusal::new(position, "write the SELECT without parentheses around it"))
        }
        _ => Err(Refusal::new(tokens.keyword(&[VALUES, TABLE]), "only a SELECT over `records` is possible")),
    }
}

fn check_clauses(query: &Query, select: &Select, tokens: &Tokens) -> Result<(), Refusal> {
    use Keyword as K;
    let group_by = match &select.group_by {
        GroupByExpr::All(_) => true,
        GroupByExpr::Expressions(exprs, modifiers) => !exprs.is_empty() || !modifiers.is_empty(),
    };
    let distinct = matches!(select.distinct, Some(Distinct::Distinct | Distinct::On(_)));
    let limited = query.limit_clause.is_some() || query.fetch.is_some();
    let clauses: [(bool, &str, &[Keyword]); 20] = [
        (distinct, "DISTINCT", &[K::DISTINCT]),
        (select.top.is_some(), "TOP", &[K::TOP]),
        (group_by, "GROUP BY", &[K::GROUP]),
        (select.having.is_some(), "HAVING", &[K::HAVING]),
        (!select.named_window.is_empty(), "WINDOW", &[K::WINDOW]),
        (select.qualify.is_some(), "QUALIFY", &[K::QUALIFY]),
        (query.order_by.is_some(), "ORDER BY", &[K::ORDER]),
        (limited, "LIMIT, OFFSET or FETCH", &[K::LIMIT, K::OFFSET, K::FETCH]),
        (!select.sort_by.is_empty(), "SORT BY", &[K::SORT]),
        (!select.cluster_by.is_empty(), "CLUSTER BY", &[K::CLUSTER]),
        (!select.distribute_by.is_empty(), "DISTRIBUTE BY", &[K::DISTRIBUTE]),
        (!select.connect_by.is_empty(), "CONNECT BY", &[K::CONNECT, K::START]),
        (!query.pipe_operators.is_empty(), "a pipe operator", &[]),
        (!query.locks.is_empty() || query.for_clause.is_some(), "FOR", &[K::FOR]),
        (query.settings.is_some(), "SETTINGS", &[K::SETTINGS]),
        (query.format_clause.is_some(), "FORMAT", &[K::FORMAT]),
        (select.into.is_some(), "INTO", &[K::INTO]),
        (!select.lateral_views.is_empty(), "LATERAL VIEW", &[K::LATERAL]),
        (select.prewhere.is_some(), "PREWHERE", &[K::PREWHERE]),
        (select.value_table_mode.is_some() || select.exclude.is_some(), "this form of SELECT", &[K::SELECT]),
    ];
    match clauses.into_iter().find(|(present, ..)| *present) {
        None => Ok(()),
        Some((_, clause, keywords)) => {
            Err(Refusal::new(tokens.keyword(keywords), format!("{clause} is not possible: {ROW_BY_ROW}")))
        }
    }
}

/// Checks FROM: `records` exactly once, on the side of each join that keeps or drops its rows but never adds any.
struct Tables<'t> {
    tokens: &'t Tokens,
    found: Found,
}

impl Tables<'_> {
    fn check(&mut self, select: &Select) -> Result<(), Refusal> {
        let mut has_records = false;
        for table in &select.from {
            has_records |= self.joined(table)?;
        }
        if has_records {
            return Ok(());
        }
        let position = match self.found.tables.first() {
            Some((_, position)) => *position,
            None => self.tokens.keyword(&[Keyword::SELECT]),
        };
        Err(Refusal::new(position, format!("the query must read the table `{RECORDS}`: SELECT … FROM {RECORDS}")))
    }

    fn joined(&mut self, table: &TableWithJoins) -> Result<bool, Refusal> {
        let mut left = self.factor(&table.relation)?;
        for join in &table.joins {
            let right = self.factor(&join.relation)?;
            check_join(join, left, right)?;
            left |= right;
        }
        Ok(left)
    }

    fn factor(&mut self, factor: &TableFactor) -> Result<bool, Refusal> {
        let at = Position::of(factor.span(), self.tokens.keyword(&[Keyword::FROM]));
        let refuse = |reason: &str| Err(Refusal::new(at, reason));
        match factor {
            TableFactor::Table {
                name,
                alias,
                args: None,
                with_hints,
                version: None,
                with_ordinality: false,
                partitions,
                json_path: None,
                sample: None,
                index_hints,
            } if with_hints.is_empty() && partitions.is_empty() && index_hints.is_empty() => {
                if alias.as_ref().is_some_and(|alias| !alias.columns.is_empty() || alias.at.is_some()) {
                    return refuse("a table alias cannot rename columns here: use AS in the SELECT list");
                }
                self.table(name, alias.as_ref().map(|alias| &alias.name), at)
            }
            TableFactor::NestedJoin { table_with_joins, alias: None } => self.joined(table_with_joins),
            TableFactor::Derived { .. } => refuse("a subquery is not possible: write one SELECT over `records`"),
            TableFactor::UNNEST { .. } => {
                let at = self.tokens.keyword_before(&[Keyword::UNNEST], factor.span().end);
                Err(Refusal::new(at, "UNNEST belongs into the SELECT list here: SELECT unnest(items) AS item"))
            }
            _ => refuse("only `records` and lookup tables are possible here"),
        }
    }

    fn table(&mut self, name: &ObjectName, alias: Option<&Ident>, at: Position) -> Result<bool, Refusal> {
        let name = match name.0.as_slice() {
            [part] => part.as_ident().map(|ident| ident.value.clone()),
            _ => None,
        };
        let Some(name) = name else {
            return Err(Refusal::new(at, "only `records` and lookup tables are possible here"));
        };
        let is_records = name == RECORDS;
        if is_records && !self.found.records_name.is_empty() {
            let reason = format!("`{RECORDS}` is joined with itself, which is not possible: {ROW_BY_ROW}");
            return Err(Refusal::new(at, reason));
        }
        let known_as = alias.map_or(name.as_str(), |alias| alias.value.as_str()).to_owned();
        match is_records {
            true => self.found.records_name = known_as,
            false => self.found.lookup_names.push(known_as),
        }
        self.found.tables.push((name, at));
        Ok(is_records)
    }
}

/// `left`, `right`: the side with `records`.
fn check_join(join: &Join, left: bool, right: bool) -> Result<(), Refusal> {
    use JoinOperator as J;
    let possible = match &join.join_operator {
        J::Join(_) | J::Inner(_) | J::CrossJoin(_) => true,
        J::Left(_) | J::LeftOuter(_) | J::Semi(_) | J::LeftSemi(_) | J::Anti(_) | J::LeftAnti(_) => !right,
        J::Right(_) | J::RightOuter(_) | J::RightSemi(_) | J::RightAnti(_) => !left,
        J::FullOuter(_) => !left && !right,
        _ => false,
    };
    if possible && !join.global {
        return Ok(());
    }
    let position = Position::of(join.relation.span(), Position::START);
    let reason = format!(
        "this join gives rows that come from no record, or loses the record: use JOIN, or LEFT JOIN with `{RECORDS}` on \
         the left"
    );
    Err(Refusal::new(position, reason))
}

/// Checks all expressions.
struct Expressions {
    depth: usize,
    /// Names after a point that are still to be visited, `.sku` in `items[1].sku`: they are not columns.
    members: Vec<Ident>,
    knows_functions: bool,
    found: Found,
}

impl Expressions {
    fn check(&mut self, expr: &Expr) -> Result<(), Refusal> {
        if let Expr::Identifier(ident) = expr
            && let Some(member) =
                self.members.iter().position(|member| member.span == ident.span && member.value == ident.value)
        {
            self.members.swap_remove(member);
            return Ok(());
        }
        self.found.paths.extend(path_of(expr).into_iter().chain(path_of_list(expr)));
        match expr {
            Expr::Function(function) => match check_function(function, self.knows_functions)? {
                None => Ok(()),
                Some(secret) => {
                    self.found.secrets.push(secret);
                    Ok(())
                }
            },
            Expr::Identifier(ident) => {
                self.found.columns.push(vec![ident.clone()]);
                Ok(())
            }
            Expr::CompoundFieldAccess { access_chain, .. } => {
                self.members.extend(access_chain.iter().filter_map(|access| match access {
                    AccessExpr::Dot(Expr::Identifier(ident)) => Some(ident.clone()),
                    _ => None,
                }));
                Ok(())
            }
            Expr::CompoundIdentifier(parts) => {
                self.found.columns.push(parts.clone());
                Ok(())
            }
            Expr::Subquery(query) | Expr::InSubquery { subquery: query, .. } | Expr::Exists { subquery: query, .. } => {
                Err(refused_subquery(query))
            }
            _ => Ok(()),
        }
    }
}

impl Visitor for Expressions {
    type Break = Refusal;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Refusal> {
        ControlFlow::Break(refused_subquery(query))
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Refusal> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let reason = format!("the expression nests deeper than {MAX_DEPTH} levels; use IN, CASE or a lookup table");
            return ControlFlow::Break(Refusal::new(Position::of(expr.span(), Position::START), reason));
        }
        let refused = || {
            let reason = refusal_of(expr)?;
            Some(Refusal::new(Position::of(expr.span(), Position::START), reason))
        };
        match self.check(expr).err().or_else(refused) {
            None => ControlFlow::Continue(()),
            Some(refusal) => ControlFlow::Break(refusal),
        }
    }

    fn post_visit_expr(&mut self, _expr: &Expr) -> ControlFlow<Refusal> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_value(&mut self, value: &ValueWithSpan) -> ControlFlow<Refusal> {
        match &value.value {
            Value::Placeholder(name) => {
                let position = Position::of(value.span, Position::START);
                ControlFlow::Break(Refusal::new(position, format!("the placeholder {name} has no value here")))
            }
            _ => ControlFlow::Continue(()),
        }
    }
}

fn refused_subquery(query: &Query) -> Refusal {
    let position = Position::of(query.span(), Position::START);
    Refusal::new(position, "a subquery is not possible: join a lookup table instead")
}

/// The secret that a function is called with, and its place.
fn check_function(function: &Function, knows_functions: bool) -> Result<Option<(String, Position)>, Refusal> {
    let position = Position::of(function.name.span(), Position::START);
    let written = function.name.to_string();
    let name = match function.name.0.as_slice() {
        [part] => match part.as_ident() {
            Some(ident) if ident.quote_style.is_some() => ident.value.clone(),
            Some(ident) => ident.value.to_lowercase(),
            None => written.clone(),
        },
        _ => written.clone(),
    };
    let kind = if function.over.is_some() { FunctionKind::Window } else { kind_of(&name) };
    let refuse = |reason: String| Err(Refusal::new(position, reason));
    match kind {
        FunctionKind::Scalar if name == HMAC => match secret_of(function) {
            Some(secret) => Ok(Some((secret, position))),
            None => refuse(format!("`{HMAC}` takes a text and, in quotes, the name of a secret: {HMAC}(email, 'pii')")),
        },
        FunctionKind::Scalar => Ok(None),
        FunctionKind::Aggregate => refuse(format!("the aggregate function `{written}` is not possible: {ROW_BY_ROW}")),
        FunctionKind::Window => refuse(format!("the window function `{written}` is not possible: {ROW_BY_ROW}")),
        // Words like `user` parse as functions, but mean a column unless the function exists.
        FunctionKind::Unknown if matches!(function.args, FunctionArguments::None) => Ok(None),
        FunctionKind::Unknown if knows_functions => refuse(format!("unknown function `{written}`")),
        FunctionKind::Unknown => Ok(None),
    }
}

/// The name of the secret in a call `hmac_sha256(text, 'name')`.
fn secret_of(function: &Function) -> Option<String> {
    let arguments = arguments_of(function).ok()?;
    let [_, Expr::Value(secret)] = arguments.as_slice() else { return None };
    match &secret.value {
        Value::SingleQuotedString(name) => Some(name.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::query::statement::RowwiseQuery;

    fn refused(text: &str) -> String {
        RowwiseQuery::parse(text).map(|_| "accepted".to_owned()).unwrap_or_else(|refusal| refusal.to_string())
    }

    #[test]
    fn what_is_not_row_wise_is_refused_where_it_stands() {
        for (query, expected) in [
            ("SELECT a, count(*) FROM records", "line 1, column 11: the aggregate function `count`"),
            ("SELECT a FROM records WHERE SUM(a) > 1", "line 1, column 29: the aggregate function `SUM`"),
            ("SELECT lag(a) OVER (ORDER BY a) FROM records", "line 1, column 8: the window function `lag`"),
            ("SELECT sum(a) OVER () FROM records", "line 1, column 8: the window function `sum`"),
            ("SELECT a FROM records ORDER BY a", "line 1, column 23: ORDER BY"),
            ("SELECT DISTINCT a FROM records", "line 1, column 8: DISTINCT"),
            ("SELECT a FROM records\nLIMIT 3", "line 2, column 1: LIMIT"),
            ("SELECT a FROM records OFFSET 3", "line 1, column 23: LIMIT, OFFSET or FETCH"),
            ("SELECT a FROM records GROUP BY a", "line 1, column 23: GROUP BY"),
            ("SELECT a FROM records GROUP BY ALL", "line 1, column 23: GROUP BY"),
            ("SELECT a FROM records HAVING a > 1", "line 1, column 23: HAVING"),
            ("SELECT a FROM records UNION ALL SELECT b FROM records", "line 1, column 23: UNION"),
            ("SELECT a FROM records EXCEPT SELECT b FROM records", "line 1, column 23: EXCEPT"),
            ("SELECT a FROM records r JOIN records s ON r.a = s.a", "line 1, column 30: `records` is joined"),
            ("SELECT a FROM records, records", "line 1, column 24: `records` is joined"),
            ("SELECT a FROM (SELECT a FROM records) t", "line 1, column 16: a subquery"),
            ("SELECT (SELECT a FROM records) FROM records", "line 1, column 9: a subquery"),
            ("SELECT a FROM records WHERE a IN (SELECT b FROM c)", "line 1, column 35: a subquery"),
            ("SELECT a FROM records WHERE EXISTS (SELECT 1)", "line 1, column 37: a subquery"),
            ("WITH t AS (SELECT 1) SELECT a FROM records", "line 1, column 1: WITH"),
            ("SELECT a FROM records RIGHT JOIN c ON a = b", "line 1, column 34: this join"),
            ("SELECT a FROM c LEFT JOIN records ON a = b", "line 1, column 27: this join"),
            ("SELECT a FROM records FULL JOIN c ON a = b", "line 1, column 33: this join"),
            ("SELECT 1", "line 1, column 1: the query must read"),
            ("SELECT a FROM orders", "line 1, column 15: the query must read"),
            ("SELECT a FROM records, unnest(b)", "line 1, column 24: UNNEST belongs"),
            ("SELECT a FROM records, generate_series(1, 3)", "line 1, column 24: only `records`"),
            ("SELECT uppper(a) FROM records", "line 1, column 8: unknown function `uppper`"),
            (
                "SELECT hmac_sha256(a, b) AS h FROM records",
                "line 1, column 8: `hmac_sha256` takes a text and, in quotes",
            ),
            ("SELECT a FROM records WHERE a = $1", "line 1, column 33: the placeholder $1"),
            ("VALUES (1)", "line 1, column 1: only a SELECT"),
            ("SELECT x AS _key FROM records", "line 1, column 1: the query selects no column of the value"),
        ] {
            let refusal = refused(query);
            assert!(refusal.starts_with(expected), "{query}: {refusal}");
        }
    }

    #[test]
    fn what_is_row_wise_is_accepted() {
        for query in [
            "SELECT * FROM records",
            "SELECT r.* FROM records r",
            "select Upper(userId), CASE WHEN a > 1 THEN 'x' ELSE 'y' END AS z FROM records WHERE ok",
            "SELECT unnest(items) AS item FROM records",
            "SELECT a FROM records r LEFT JOIN c ON r.a = c.b",
            "SELECT a FROM c RIGHT JOIN records r ON r.a = c.b",
            "SELECT a FROM records, c WHERE a = b",
            "SELECT a FROM records LEFT ANTI JOIN c ON a = b",
            "SELECT user, current_timestamp AS at, now() AS n FROM records",
            "SELECT * EXCLUDE (a) FROM records",
            "SELECT *, a AS _key FROM records",
        ] {
            assert_eq!(refused(query), "accepted", "{query}");
        }
    }
}
