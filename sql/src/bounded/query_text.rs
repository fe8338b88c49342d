//! The text of a query over all records of a run: any SELECT.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use datafusion::sql::parser::Statement as PlannerStatement;
use datafusion::sql::resolve::resolve_table_references;
use datafusion::sql::sqlparser::ast::{
    ExcludeSelectItem, Expr, Ident, ObjectName, ObjectNamePart, Query, Select, SelectItem,
    SelectItemQualifiedWildcardKind, SetExpr, Spanned, Statement, TableFactor, Visit, VisitMut, Visitor, VisitorMut,
    WildcardAdditionalOptions,
};

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::Token;

use crate::deep_stack::on_deep_stack;
use crate::query::{FunctionKind, Position, Refusal, Tokens, kind_of, named_by_its_text, parse_query};
use crate::records_table::MetaColumn;

/// A parsed query. Tables have the names of topics.
#[derive(Clone, Debug)]
pub(super) struct QueryText {
    query: Query,
    /// The tables that it reads.
    pub(super) tables: BTreeSet<String>,
    /// The metadata columns that it names: tables have no others.
    pub(super) meta_columns: Vec<MetaColumn>,
    /// The other names that stand where columns stand.
    pub(super) columns: BTreeSet<String>,
    /// All words of the text: a field that is none of them is not needed. `None`: all fields are.
    pub(super) words: Option<BTreeSet<String>>,
}

impl QueryText {
    /// Parses `text`.
    pub(super) fn parse(text: &str) -> Result<Self, Refusal> {
        let parsed = on_deep_stack(|| parse(text));
        parsed.unwrap_or_else(|error| Err(Refusal::new(Position::START, error.to_string())))
    }

    /// What the planner takes.
    pub(super) fn statement(&self) -> PlannerStatement {
        PlannerStatement::Statement(Box::new(Statement::Query(Box::new(self.query.clone()))))
    }
}

fn parse(text: &str) -> Result<QueryText, Refusal> {
    let mut query = parse_query(text)?;
    let mut names = Names::default();
    if let ControlFlow::Break(refusal) = Visit::visit(&query, &mut names) {
        return Err(refusal);
    }
    let _: ControlFlow<()> = VisitMut::visit(&mut query, &mut Rewrite { meta_columns: &names.meta_columns });
    name_results(&mut query.body);
    let statement = PlannerStatement::Statement(Box::new(Statement::Query(Box::new(query.clone()))));
    let (tables, _) = resolve_table_references(&statement, false)
        .map_err(|error| Refusal::new(Position::START, crate::reason::reason_of(&error)))?;
    let tables = tables.iter().map(|table| table.table().to_owned()).collect();
    let words = needed_words(text, &query)?;
    Ok(QueryText { query, tables, meta_columns: names.meta_columns, columns: names.columns, words })
}

/// The words of a query that takes no columns without naming them.
fn needed_words(text: &str, query: &Query) -> Result<Option<BTreeSet<String>>, Refusal> {
    let takes_all = ControlFlow::Break(()) == Visit::visit(query, &mut Wildcards);
    let mut words = BTreeSet::new();
    for token in Tokens::of(text)?.all() {
        if let Token::Word(word) = &token.token {
            if matches!(word.keyword, Keyword::NATURAL | Keyword::TABLE) {
                return Ok(None);
            }
            words.insert(word.value.clone());
        }
    }
    Ok(Some(words).filter(|_| !takes_all))
}

/// Looks for `*` and `t.*` as columns.
struct Wildcards;

impl Visitor for Wildcards {
    type Break = ();

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        let is_wildcard =
            |item: &SelectItem| matches!(item, SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..));
        match select.projection.iter().any(is_wildcard) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }
}

/// The names in expressions, and the functions that do not exist.
#[derive(Default)]
struct Names {
    meta_columns: Vec<MetaColumn>,
    columns: BTreeSet<String>,
}

impl Visitor for Names {
    type Break = Refusal;

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Refusal> {
        match expr {
            Expr::Identifier(ident) => self.name(ident),
            Expr::CompoundIdentifier(parts) => parts.iter().for_each(|part| self.name(part)),
            Expr::Function(function) => {
                let name = function.name.to_string();
                if kind_of(&name.to_lowercase()) == FunctionKind::Unknown {
                    let position = Position::of(function.name.span(), Position::START);
                    return ControlFlow::Break(Refusal::new(position, format!("unknown function `{name}`")));
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

impl Names {
    fn name(&mut self, ident: &Ident) {
        match MetaColumn::ALL.into_iter().find(|column| column.name() == ident.value) {
            Some(column) if self.meta_columns.contains(&column) => {}
            Some(column) => self.meta_columns.push(column),
            None => drop(self.columns.insert(ident.value.clone())),
        }
    }
}

/// Gives tables the names of their topics, and takes metadata out of `*`.
struct Rewrite<'n> {
    meta_columns: &'n [MetaColumn],
}

impl VisitorMut for Rewrite<'_> {
    type Break = ();

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        self.rewrite_select(select);
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &mut ObjectName) -> ControlFlow<()> {
        // a topic's name may have points
        if relation.0.len() > 1 && relation.0.iter().all(|part| part.as_ident().is_some()) {
            let parts: Vec<&str> = relation.0.iter().filter_map(|part| Some(part.as_ident()?.value.as_str())).collect();
            let mut whole = Ident::with_quote('"', parts.join("."));
            whole.span = relation.span();
            relation.0 = vec![ObjectNamePart::Identifier(whole)];
        }
        ControlFlow::Continue(())
    }
}

impl Rewrite<'_> {
    fn rewrite_select(&self, select: &mut Select) {
        if self.meta_columns.is_empty() {
            return;
        }
        let tables: Vec<String> = select
            .from
            .iter()
            .flat_map(|from| std::iter::once(&from.relation).chain(from.joins.iter().map(|join| &join.relation)))
            .filter_map(name_of_table)
            .collect();
        let is_one_table = select.from.len() == 1 && select.from[0].joins.is_empty() && tables.len() == 1;
        for item in &mut select.projection {
            match item {
                SelectItem::Wildcard(options) if is_one_table => self.exclude(options),
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), options) if matches!(name.0.as_slice(), [part] if part.as_ident().is_some_and(|name| tables.contains(&name.value))) =>
                {
                    self.exclude(options);
                }
                _ => {}
            }
        }
    }

    fn exclude(&self, options: &mut WildcardAdditionalOptions) {
        let names =
            self.meta_columns.iter().map(|column| ObjectName::from(vec![Ident::with_quote('"', column.name())]));
        let names = names.chain(match options.opt_exclude.take() {
            None => Vec::new(),
            Some(ExcludeSelectItem::Single(name)) => vec![name],
            Some(ExcludeSelectItem::Multiple(names)) => names,
        });
        let mut different: Vec<ObjectName> = Vec::new();
        for name in names {
            if different.iter().all(|other| other.to_string().trim_matches('"') != name.to_string().trim_matches('"')) {
                different.push(name);
            }
        }
        options.opt_exclude = Some(ExcludeSelectItem::Multiple(different));
    }
}

/// The name by which a query knows a table; `None` for what is no table, such as a query in FROM.
fn name_of_table(factor: &TableFactor) -> Option<String> {
    let TableFactor::Table { name, alias, .. } = factor else { return None };
    match alias {
        Some(alias) => Some(alias.name.value.clone()),
        None => {
            Some(name.0.iter().filter_map(|part| Some(part.as_ident()?.value.as_str())).collect::<Vec<_>>().join("."))
        }
    }
}

/// Names the columns of the result after their texts, where they have no name.
fn name_results(body: &mut SetExpr) {
    match body {
        SetExpr::Select(select) => {
            for item in &mut select.projection {
                if let SelectItem::UnnamedExpr(expr) = item
                    && let Some(named) = named_by_its_text(expr)
                {
                    *item = named;
                }
            }
        }
        SetExpr::Query(query) => name_results(&mut query.body),
        // the first one gives the names
        SetExpr::SetOperation { left, .. } => name_results(left),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(text: &str) -> String {
        QueryText::parse(text).unwrap().query.to_string()
    }

    fn refused(text: &str) -> String {
        QueryText::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn tables_are_topics_whatever_their_names_and_common_tables_are_none() {
        let text = "WITH big AS (SELECT * FROM shop.orders.v1 WHERE amount > 10)
            SELECT big.id FROM big JOIN \"users-eu\" u ON big.buyer = u.id
            WHERE big.id NOT IN (SELECT id FROM refunds) UNION ALL SELECT id FROM old";
        let tables = QueryText::parse(text).unwrap().tables;
        assert_eq!(tables.into_iter().collect::<Vec<_>>(), ["old", "refunds", "shop.orders.v1", "users-eu"]);
    }

    #[test]
    fn a_star_is_the_value_and_what_the_query_names_of_metadata_is_there() {
        assert_eq!(rewritten("SELECT * FROM orders"), "SELECT * FROM orders");
        assert_eq!(rewritten("SELECT *, _offset FROM orders"), "SELECT * EXCLUDE (\"_offset\"), _offset FROM orders");
        assert_eq!(
            rewritten(
                "SELECT * FROM (SELECT o.*, row_number() OVER (PARTITION BY _key) AS n FROM orders o) WHERE n = 1"
            ),
            "SELECT * FROM (SELECT o.* EXCLUDE (\"_key\"), row_number() OVER (PARTITION BY _key) AS n FROM orders o) WHERE n = 1"
        );
        assert_eq!(
            rewritten("SELECT * EXCLUDE (_key, secret) FROM orders ORDER BY _key"),
            "SELECT * EXCLUDE (\"_key\", secret) FROM orders ORDER BY _key"
        );
        // both have them
        assert_eq!(rewritten("SELECT * FROM a, b WHERE a._key = b._key"), "SELECT * FROM a, b WHERE a._key = b._key");
    }

    #[test]
    fn columns_of_the_result_have_names_that_can_be_written() {
        assert_eq!(
            rewritten("SELECT o.country, sum(amount), count(*) AS n FROM orders o GROUP BY country"),
            "SELECT o.country AS \"country\", sum(amount) AS \"sum(amount)\", count(*) AS n FROM orders o GROUP BY country"
        );
    }

    #[test]
    fn fields_that_are_not_named_are_needed_only_where_all_are_taken() {
        let words = |text: &str| QueryText::parse(text).unwrap().words;
        let some = words("SELECT count(*), max(o.amount) FROM orders o JOIN users USING (\"user id\")").unwrap();
        assert!(["amount", "user id"].iter().all(|word| some.contains(*word)) && !some.contains("country"));
        for all in ["SELECT * FROM a", "SELECT b.id FROM a, (SELECT x.* FROM b x) b", "SELECT id FROM a NATURAL JOIN b"]
        {
            assert_eq!(words(all), None, "{all}");
        }
    }

    #[test]
    fn what_is_no_query_is_refused_at_its_place() {
        assert_eq!(refused(""), "line 1, column 1: the query is empty");
        assert_eq!(refused("SELECT 1; SELECT 2"), "line 1, column 11: only one statement is possible");
        assert_eq!(refused("DROP TABLE orders"), "line 1, column 1: only SELECT is possible, not DROP");
        assert_eq!(refused("SELECT summ(amount) FROM orders"), "line 1, column 8: unknown function `summ`");
    }
}
