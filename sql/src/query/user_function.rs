//! A function of the configuration: `function.cents=(amount) -> round(amount * 100)`.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    AccessExpr, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, Spanned, VisitMut, VisitorMut,
    visit_expressions_mut,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::{Span, Token, TokenWithSpan};

use super::position::{Position, Refusal};
use super::statement::{PARSER_DEPTH, Tokens, parser_refusal};

/// Begins the names that stand for parameters in a body: no query has such names.
const PLACEHOLDER: char = '\u{1}';

const FORM: &str = "give it as (a, b) -> expression";

/// A function; its body has placeholders for its parameters.
#[derive(Clone, Debug)]
pub(super) struct UserFunction {
    pub(super) parameters: Vec<String>,
    pub(super) body: Expr,
}

impl UserFunction {
    /// Parses `(a, b) -> expression`; the parentheses may be left out. Recurses over the expression.
    pub(super) fn parse(text: &str) -> Result<Self, Refusal> {
        let tokens = Tokens::of(text)?;
        let is_arrow = |token: &TokenWithSpan| token.token == Token::Arrow;
        let Some(arrow) = tokens.all().iter().position(is_arrow) else {
            return Err(Refusal::new(Position::START, format!("a function has an arrow: {FORM}")));
        };
        let parameters = parameters_of(&tokens.all()[..arrow])?;
        let mut parser = Parser::new(&GenericDialect {})
            .with_recursion_limit(PARSER_DEPTH)
            .with_tokens_with_locations(tokens.all()[arrow + 1..].to_vec());
        let mut body = parser.parse_expr().map_err(|error| parser_refusal(&error, text))?;
        let rest = parser.peek_token();
        if rest.token != Token::EOF {
            let position = Position::of(rest.span, Position::end_of(text));
            return Err(Refusal::new(position, format!("expected: end of the expression, found: {rest}")));
        }
        let _ = body.visit(&mut NameParameters { parameters: &parameters, members: Vec::new() });
        Ok(Self { parameters, body })
    }

    /// The body with `arguments`, one for each parameter, in the places of the parameters. Its parts are at `place`.
    pub(super) fn applied_to(&self, arguments: &[Expr], place: Span) -> Expr {
        let mut body = self.body.clone();
        let _ = visit_expressions_mut(&mut body, |expr| {
            match argument_of(expr, arguments) {
                Some(argument) => *expr = argument,
                None => move_to(expr, place),
            }
            ControlFlow::<()>::Continue(())
        });
        Expr::Nested(Box::new(body))
    }

    /// How often the body has each parameter.
    pub(super) fn uses(&self) -> Vec<usize> {
        let mut uses = vec![0; self.parameters.len()];
        let _ = visit_expressions_mut(&mut self.body.clone(), |expr| {
            let parameter = match expr {
                Expr::Identifier(ident) => placeholder(ident),
                Expr::CompoundIdentifier(parts) => parts.first().and_then(placeholder),
                _ => None,
            };
            if let Some(count) = parameter.and_then(|parameter| uses.get_mut(parameter)) {
                *count += 1;
            }
            ControlFlow::<()>::Continue(())
        });
        uses
    }

    /// How it is called, for messages: `cents(amount)`.
    pub(super) fn form(&self, name: &str) -> String {
        format!("{name}({})", self.parameters.join(", "))
    }
}

/// The arguments of a call of plain form, or why it has none.
pub(super) fn arguments_of(call: &Function) -> Result<Vec<Expr>, &'static str> {
    let is_plain = !call.uses_odbc_syntax
        && call.filter.is_none()
        && call.null_treatment.is_none()
        && call.over.is_none()
        && call.within_group.is_empty()
        && matches!(call.parameters, FunctionArguments::None);
    let FunctionArguments::List(list) = &call.args else { return Err("takes its arguments in parentheses") };
    if !is_plain || list.duplicate_treatment.is_some() || !list.clauses.is_empty() {
        return Err("takes its arguments, and nothing else");
    }
    let arguments = list.args.iter().map(|argument| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(argument)) => Ok(argument.clone()),
        _ => Err("takes expressions as arguments, without names"),
    });
    arguments.collect()
}

fn parameters_of(tokens: &[TokenWithSpan]) -> Result<Vec<String>, Refusal> {
    let words: Vec<&TokenWithSpan> =
        tokens.iter().filter(|token| !matches!(token.token, Token::Whitespace(_))).collect();
    let words = match words.as_slice() {
        [open, inner @ .., close] if open.token == Token::LParen && close.token == Token::RParen => inner,
        words => words,
    };
    let mut parameters: Vec<String> = Vec::new();
    for (index, token) in words.iter().enumerate() {
        let refuse = |reason: String| Err(Refusal::new(Position::of(token.span, Position::START), reason));
        match &token.token {
            Token::Word(word) if index % 2 == 0 && parameters.contains(&word.value) => {
                return refuse(format!("there are two parameters `{}`", word.value));
            }
            Token::Word(word) if index % 2 == 0 => parameters.push(word.value.clone()),
            Token::Comma if index % 2 == 1 && index + 1 < words.len() => {}
            other => return refuse(format!("expected: the name of a parameter, found: {other}; {FORM}")),
        }
    }
    Ok(parameters)
}

/// Replaces the names of parameters by placeholders.
struct NameParameters<'p> {
    parameters: &'p [String],
    /// Names after a point, `.sku` in `items.sku[1]`, which are still to be visited: they are no parameters.
    members: Vec<Ident>,
}

impl NameParameters<'_> {
    fn name(&self, ident: &mut Ident) {
        if let Some(index) = self.parameters.iter().position(|parameter| *parameter == ident.value) {
            ident.value = format!("{PLACEHOLDER}{index}");
        }
    }
}

impl VisitorMut for NameParameters<'_> {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::CompoundFieldAccess { access_chain, .. } = expr {
            self.members.extend(access_chain.iter().filter_map(|access| match access {
                AccessExpr::Dot(Expr::Identifier(ident)) => Some(ident.clone()),
                _ => None,
            }));
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        match expr {
            Expr::Identifier(ident) => match self.members.iter().position(|member| member.span == ident.span) {
                Some(member) => drop(self.members.swap_remove(member)),
                None => self.name(ident),
            },
            Expr::CompoundIdentifier(parts) => {
                if let Some(first) = parts.first_mut() {
                    self.name(first);
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// The parameter that a placeholder stands for.
fn placeholder(ident: &Ident) -> Option<usize> {
    ident.value.strip_prefix(PLACEHOLDER)?.parse().ok()
}

/// The argument in place of a parameter, `a`, or of a field of one, `a.city`.
fn argument_of(expr: &Expr, arguments: &[Expr]) -> Option<Expr> {
    let (first, fields) = match expr {
        Expr::Identifier(ident) => (ident, &[][..]),
        Expr::CompoundIdentifier(parts) => parts.split_first()?,
        _ => return None,
    };
    let argument = arguments.get(placeholder(first)?)?;
    Some(match (argument, fields) {
        (Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::Value(_), []) => argument.clone(),
        (other, []) => Expr::Nested(Box::new(other.clone())),
        (Expr::Identifier(column), fields) => {
            Expr::CompoundIdentifier(std::iter::once(column).chain(fields).cloned().collect())
        }
        (Expr::CompoundIdentifier(column), fields) => {
            Expr::CompoundIdentifier(column.iter().chain(fields).cloned().collect())
        }
        (other, fields) => Expr::CompoundFieldAccess {
            root: Box::new(Expr::Nested(Box::new(other.clone()))),
            access_chain: fields.iter().map(|field| AccessExpr::Dot(Expr::Identifier(field.clone()))).collect(),
        },
    })
}

/// Gives a part of a body the place of the call, where a user looks for it.
fn move_to(expr: &mut Expr, place: Span) {
    match expr {
        Expr::Identifier(ident) => ident.span = place,
        Expr::CompoundIdentifier(parts) => parts.iter_mut().for_each(|part| part.span = place),
        Expr::Value(value) => value.span = place,
        Expr::Function(function) if function.name.span() != place => {
            for part in &mut function.name.0 {
                if let datafusion::sql::sqlparser::ast::ObjectNamePart::Identifier(ident) = part {
                    ident.span = place;
                }
            }
        }
        _ => {}
    }
}
