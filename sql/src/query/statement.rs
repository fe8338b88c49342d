//! The text of a query, parsed and checked to be row-wise.

use arrow::datatypes::{DataType, Field};
use datafusion::sql::sqlparser::ast::{Ident, Query, Statement};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};

use super::field_access::{fields_for_unknown_functions, name_fields};
use super::named_fields::{NamedFields, Step};
use super::position::{Position, Refusal};
use super::select_list::prepare_select_list;
use super::statement_rules::check_query;
use super::user_functions::UserFunctions;
use crate::deep_stack::on_deep_stack;
use crate::records_table::{MetaColumn, field_name};

/// The table that a query reads.
pub(crate) const RECORDS: &str = "records";

/// Maximum nesting that the parser accepts.
pub(super) const PARSER_DEPTH: usize = 100;

/// Maximum length of a query, in tokens.
const MAX_TOKENS: usize = 50_000;

/// A query that a transformation can execute: one SELECT that works row by row.
#[derive(Clone, Debug)]
pub(crate) struct RowwiseQuery {
    /// The planner's input: every output column has a name, and wildcards exclude the metadata columns.
    pub(crate) query: Query,
    /// The query's name for `records`: its alias if it has one.
    pub(crate) records_name: String,
    /// The tables that it reads, in order.
    pub(crate) tables: Vec<(String, Position)>,
    /// The columns that its expressions name, in order: one to many parts each.
    pub(crate) columns: Vec<Vec<Ident>>,
    /// The fields that its expressions refer to.
    paths: Vec<Vec<Step>>,
    /// The query's names for lookup tables.
    lookup_names: Vec<String>,
    /// The names of secrets that it calls functions with.
    secrets: Vec<(String, Position)>,
}

impl RowwiseQuery {
    /// Parses `text` with these functions of the configuration and refuses it if it is not row-wise.
    pub(crate) fn parse_with(text: &str, functions: &UserFunctions) -> Result<Self, Refusal> {
        Self::parse_on_deep_stack(text, Some(functions))
    }

    /// Refuses what is wrong in `text` whatever functions the configuration may have.
    pub(crate) fn check(text: &str) -> Result<(), Refusal> {
        Self::parse_on_deep_stack(text, None).map(drop)
    }

    fn parse_on_deep_stack(text: &str, functions: Option<&UserFunctions>) -> Result<Self, Refusal> {
        let parsed = on_deep_stack(|| parse(text, functions));
        parsed.unwrap_or_else(|error| Err(Refusal::new(Position::START, error.to_string())))
    }

    /// Refuses secrets other than `known`.
    pub(crate) fn check_secrets<'k>(&self, known: impl Iterator<Item = &'k str>) -> Result<(), Refusal> {
        let known: Vec<&str> = known.collect();
        match self.secrets.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some((name, position)) => {
                let reason = format!("unknown secret `{name}`; give it as `hmac.{name}.secret`");
                Err(Refusal::new(*position, reason))
            }
        }
    }

    /// Refuses tables other than `records` and `lookups`.
    pub(crate) fn check_tables<'l>(&self, lookups: impl Iterator<Item = &'l str>) -> Result<(), Refusal> {
        let lookups: Vec<&str> = lookups.collect();
        match self.tables.iter().find(|(name, _)| name != RECORDS && !lookups.contains(&name.as_str())) {
            None => Ok(()),
            Some((name, position)) => Err(Refusal::new(
                *position,
                format!(
                    "unknown table `{name}`; a query reads `{RECORDS}`, and may join tables of files that are given as \
                     `lookup.<name>.url`, and of topics: `lookup.<name>.topic`"
                ),
            )),
        }
    }

    /// The fields of the value that the query names. A name that may be one of `lookup_columns` is not included, unless
    /// it is qualified with `records`.
    pub(crate) fn named_fields(&self, lookup_columns: &[String]) -> NamedFields {
        let mut named = NamedFields::default();
        for path in &self.paths {
            let (path, is_qualified) = match path.as_slice() {
                [Step::Member(table), field @ ..] if !field.is_empty() && *table == self.records_name => (field, true),
                [Step::Member(table), field @ ..] if !field.is_empty() && self.lookup_names.contains(table) => {
                    (&[][..], true)
                }
                path => (path, false),
            };
            if let [Step::Member(column), rest @ ..] = path
                && !MetaColumn::is_named(column)
                && (is_qualified || !lookup_columns.contains(column))
            {
                let mut path = vec![Step::Member(field_name(column).to_owned())];
                path.extend_from_slice(rest);
                named.add(&path);
            }
        }
        named
    }

    /// The columns of the lookup table `table` that the query names with the table.
    pub(crate) fn columns_of_lookup(&self, table: &str) -> Vec<String> {
        let lookups = self.tables.iter().filter(|(name, _)| name != RECORDS).zip(&self.lookup_names);
        let known_as: Vec<&String> = lookups.filter(|((name, _), _)| name == table).map(|(_, alias)| alias).collect();
        let mut columns: Vec<String> = Vec::new();
        for parts in &self.columns {
            if let [table, column, ..] = parts.as_slice()
                && known_as.contains(&&table.value)
                && !columns.contains(&column.value)
            {
                columns.push(column.value.clone());
            }
        }
        columns
    }

    /// Whether the query names the column `name`.
    pub(crate) fn names_column(&self, name: &str) -> bool {
        self.columns.iter().flatten().any(|part| part.value == name)
    }

    /// A struct of all columns that the query names, without types: the columns that it would read if they all existed.
    pub(crate) fn named_columns(&self) -> DataType {
        let mut names: Vec<&str> = Vec::new();
        for parts in &self.columns {
            let column = match parts.as_slice() {
                [table, column, ..] if table.value == self.records_name => Some(column),
                parts => parts.first(),
            };
            let name = column.map(|column| column.value.as_str());
            names.extend(name.filter(|name| !names.contains(name) && !MetaColumn::is_named(name)));
        }
        DataType::Struct(names.into_iter().map(|name| Field::new(name, DataType::Null, true)).collect())
    }

    /// The first place of the column `name` in the query.
    pub(crate) fn position_of(&self, name: &str) -> Option<Position> {
        let parts = self.columns.iter().flat_map(|parts| parts.iter());
        parts.filter(|part| part.value == name).find_map(|part| Position::at(part.span.start))
    }
}

/// The one query that `text` is; recurses over it.
pub(crate) fn parse_query(text: &str) -> Result<Query, Refusal> {
    tokens_and_query(text).map(|(_, query)| query)
}

fn tokens_and_query(text: &str) -> Result<(Tokens, Query), Refusal> {
    let tokens = Tokens::of(text)?;
    let statements = Parser::new(&GenericDialect {})
        .with_recursion_limit(PARSER_DEPTH)
        .with_tokens_with_locations(tokens.0.clone())
        .parse_statements()
        .map_err(|error| parser_refusal(&error, text))?;
    let mut statements = statements.into_iter();
    let Some(statement) = statements.next() else {
        return Err(Refusal::new(Position::START, "the query is empty"));
    };
    if statements.next().is_some() {
        return Err(Refusal::new(tokens.second_statement(), "only one statement is possible"));
    }
    let Statement::Query(mut query) = statement else {
        let word = tokens.first_word().unwrap_or_default();
        return Err(Refusal::new(tokens.start(), format!("only SELECT is possible, not {word}")));
    };
    fields_for_unknown_functions(&mut query);
    Ok((tokens, *query))
}

fn parse(text: &str, functions: Option<&UserFunctions>) -> Result<RowwiseQuery, Refusal> {
    let (tokens, mut query) = tokens_and_query(text)?;
    if let Some(functions) = functions {
        functions.put_into_query(&mut query)?;
    }
    let found = check_query(&query, &tokens, functions.is_some())?;
    prepare_select_list(&mut query, &found.records_name, &tokens)?;
    name_fields(&mut query);
    Ok(RowwiseQuery {
        query,
        records_name: found.records_name,
        tables: found.tables,
        columns: found.columns,
        paths: found.paths,
        lookup_names: found.lookup_names,
        secrets: found.secrets,
    })
}

/// Converts `… at Line: 1, Column: 8` to a position; without it the text ended too early.
pub(super) fn parser_refusal(error: &ParserError, text: &str) -> Refusal {
    let message = match error {
        ParserError::TokenizerError(message) | ParserError::ParserError(message) => message.as_str(),
        ParserError::RecursionLimitExceeded => {
            return Refusal::new(Position::START, format!("the query nests deeper than {PARSER_DEPTH} levels"));
        }
    };
    let located = message.rsplit_once(" at Line: ").and_then(|(reason, place)| {
        let (line, column) = place.split_once(", Column: ")?;
        let position = Position { line: line.trim().parse().ok()?, column: column.trim().parse().ok()? };
        let hint = if reason.ends_with("found: ?") { "; for JSON write json_contains(text, 'key')" } else { "" };
        Some(Refusal::new(position, format!("{}{hint}", lower_first(reason))))
    });
    located.unwrap_or_else(|| Refusal::new(Position::end_of(text), lower_first(message)))
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

/// The tokens of a query with their places, for elements without a place in the syntax tree.
pub(crate) struct Tokens(Vec<TokenWithSpan>);

impl Tokens {
    pub(crate) fn of(text: &str) -> Result<Self, Refusal> {
        let tokens = Tokenizer::new(&GenericDialect {}, text).tokenize_with_location().map_err(|error| {
            let position = Position::at(error.location).unwrap_or(Position::START);
            Refusal::new(position, lower_first(&error.message))
        })?;
        match tokens.get(MAX_TOKENS) {
            None => Ok(Self(tokens)),
            Some(token) => Err(Refusal::new(
                Position::of(token.span, Position::START),
                format!("the query is longer than {MAX_TOKENS} words and signs; join a lookup table instead"),
            )),
        }
    }

    pub(crate) fn all(&self) -> &[TokenWithSpan] {
        &self.0
    }

    fn words(&self) -> impl Iterator<Item = &TokenWithSpan> {
        self.0.iter().filter(|token| !matches!(token.token, Token::Whitespace(_)))
    }

    fn start(&self) -> Position {
        self.words().next().map_or(Position::START, |token| Position::of(token.span, Position::START))
    }

    fn first_word(&self) -> Option<String> {
        self.words().next().map(|token| token.token.to_string().to_uppercase())
    }

    /// The start of the text after the first `;`.
    fn second_statement(&self) -> Position {
        let mut after = self.words().skip_while(|token| token.token != Token::SemiColon);
        let second = after.find(|token| token.token != Token::SemiColon);
        second.map_or(self.start(), |token| Position::of(token.span, Position::START))
    }

    /// The first of these keywords outside of parentheses; the start of the query if there is none.
    pub(crate) fn keyword(&self, keywords: &[Keyword]) -> Position {
        let mut depth = 0_usize;
        for token in &self.0 {
            match &token.token {
                Token::LParen => depth += 1,
                Token::RParen => depth = depth.saturating_sub(1),
                Token::Word(word) if depth == 0 && keywords.contains(&word.keyword) => {
                    return Position::of(token.span, self.start());
                }
                _ => {}
            }
        }
        self.start()
    }

    /// The last of these keywords before `end`; the start of the query if there is none.
    pub(crate) fn keyword_before(&self, keywords: &[Keyword], end: Location) -> Position {
        let before = self.0.iter().take_while(|token| token.span.start < end);
        let found =
            before.filter(|token| matches!(&token.token, Token::Word(word) if keywords.contains(&word.keyword))).last();
        found.map_or(self.start(), |token| Position::of(token.span, self.start()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    impl RowwiseQuery {
        /// Without functions of the configuration.
        pub(crate) fn parse(text: &str) -> Result<Self, Refusal> {
            Self::parse_with(text, &UserFunctions::default())
        }
    }

    fn refused(text: &str) -> String {
        RowwiseQuery::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn syntax_errors_have_a_position() {
        assert_eq!(refused(""), "line 1, column 1: the query is empty");
        assert_eq!(
            refused("SELECT a,\n  b c d FROM records"),
            "line 2, column 7: expected: end of statement, found: d"
        );
        assert!(refused("SELECT (a FROM records").starts_with("line 1, column 11: expected: ), found: FROM"));
        assert_eq!(refused("SELECT a FROM"), "line 1, column 14: expected: identifier, found: EOF");
        assert!(refused("SELECT 'a FROM records").starts_with("line 1, column 8: unterminated string literal"));
    }

    #[test]
    fn only_one_select_is_accepted() {
        assert_eq!(
            refused("SELECT a FROM records; SELECT b FROM records"),
            "line 1, column 24: only one statement is possible"
        );
        assert_eq!(refused("delete from records"), "line 1, column 1: only SELECT is possible, not DELETE");
        assert!(RowwiseQuery::parse("SELECT a FROM records;").is_ok());
    }

    #[test]
    fn fields_may_have_the_names_of_functions_that_other_databases_call_without_parentheses() {
        for text in ["SELECT user, r.user AS u FROM records r WHERE r.user > 'a'", "SELECT session_user FROM records"] {
            let query = RowwiseQuery::parse(text).unwrap();
            assert!(query.named_fields(&[]).names().all(|name| name.ends_with("user")), "{text}");
        }
        assert!(RowwiseQuery::parse("SELECT current_date AS d FROM records").is_ok());
        assert!(RowwiseQuery::parse("SELECT user() AS u FROM records").is_err());
    }

    #[test]
    fn deep_and_long_queries_are_refused_and_do_not_overflow_the_stack() {
        let nested = format!("SELECT {}a{} FROM records", "(".repeat(5_000), ")".repeat(5_000));
        assert!(refused(&nested).contains("nests deeper"));
        let chained = format!("SELECT a{} AS b FROM records", " + a".repeat(10_000));
        assert!(refused(&chained).contains("nests deeper"), "{}", refused(&chained));
        let long = format!("SELECT a{} FROM records", ", a".repeat(100_000));
        assert!(refused(&long).contains("longer than"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_text_panics(text in "\\PC{0,40}") {
            let _ = RowwiseQuery::parse(&text);
        }

        #[test]
        fn no_mix_of_words_panics(words in prop::collection::vec(
            prop::sample::select(vec!["SELECT", "FROM", "records", "a", "*", ",", "(", ")", "JOIN", "ON", "WHERE", "=",
                "1", "'x'", "CASE", "WHEN", "END", "::", "INT", "[", "]", ".", "AS", "unnest", "count", "OVER", "UNION"]),
            0..12,
        )) {
            let _ = RowwiseQuery::parse(&words.join(" "));
        }
    }
}
