//! Reads paths.

use volley_java::JavaRegex;

use super::comparison::Operator;
use super::condition::{Condition, Operand, Place};
use super::cursor::{Cursor, Refused};
use super::literal::Literal;
use super::path::Step;

/// How deep conditions may be nested.
const MAX_DEPTH: usize = 32;

/// The steps of a path, with or without its `$`.
pub(super) fn parse(text: &str) -> Result<Vec<Step>, Refused> {
    let mut cursor = Cursor::new(text.trim());
    if cursor.rest().is_empty() {
        return Err("the path is empty".to_owned());
    }
    let has_root = cursor.takes("$");
    let mut steps = Vec::new();
    if !has_root && !matches!(cursor.peek(), Some('[' | '.')) {
        steps.push(name(&mut cursor)?);
    }
    read_steps(&mut cursor, &mut steps, 0)?;
    match cursor.rest() {
        "" => Ok(steps),
        _ => Err(cursor.refused("the path should end")),
    }
}

fn read_steps(cursor: &mut Cursor<'_>, steps: &mut Vec<Step>, depth: usize) -> Result<(), Refused> {
    loop {
        if cursor.rest().starts_with("..") {
            return Err(cursor.refused("`..` is not supported: name the fields on the way"));
        }
        if cursor.takes(".") {
            match cursor.peek() {
                Some('[') => {}
                Some('*') => {
                    cursor.next();
                    steps.push(Step::All);
                }
                _ => steps.push(name(cursor)?),
            }
        } else if cursor.takes("[") {
            steps.push(bracket(cursor, depth)?);
        } else {
            return Ok(());
        }
    }
}

/// A field that stands behind a dot.
fn name(cursor: &mut Cursor<'_>) -> Result<Step, Refused> {
    let name = cursor.take_while(|next| !".[]()'\"=<>!&|~,/?@* ".contains(next));
    if cursor.peek() == Some('(') {
        return Err(cursor.refused(&format!("the function `{name}` is not supported")));
    }
    match name {
        "" => Err(cursor.refused("the name of a field is missing")),
        name => Ok(Step::Field(name.to_owned())),
    }
}

fn bracket(cursor: &mut Cursor<'_>, depth: usize) -> Result<Step, Refused> {
    cursor.skip_blanks();
    let step = match cursor.peek() {
        Some(quote @ ('\'' | '"')) => Step::Field(quoted(cursor, quote)?),
        Some('*') => {
            cursor.next();
            Step::All
        }
        Some('?') if depth > MAX_DEPTH => return Err(cursor.refused("a filter within a condition is not supported")),
        Some('?') => {
            cursor.next();
            cursor.skip_blanks();
            Step::Filter(alternatives(cursor, depth)?)
        }
        Some('(') => return Err(cursor.refused("scripts are not supported")),
        _ => {
            let place = *cursor;
            let digits = cursor.take_while(|next| next == '-' || next.is_ascii_digit());
            match digits.parse() {
                Ok(index) => Step::Index(index),
                Err(_) if cursor.peek() == Some(':') => return Err(cursor.refused("slices of lists are not supported")),
                Err(_) => return Err(place.refused("neither a name in quotes, a number, `*` nor `?`")),
            }
        }
    };
    cursor.skip_blanks();
    match cursor.peek() {
        Some(',') => Err(cursor.refused("several names or places in one bracket are not supported")),
        Some(':') => Err(cursor.refused("slices of lists are not supported")),
        _ => cursor.expect("]").map(|()| step),
    }
}

/// A text in quotes; a backslash stands before what is meant as it is.
fn quoted(cursor: &mut Cursor<'_>, quote: char) -> Result<String, Refused> {
    let start = *cursor;
    cursor.next();
    let mut text = String::new();
    while let Some(next) = cursor.next() {
        match next {
            next if next == quote => return Ok(text),
            '\\' => match cursor.next() {
                Some('n') => text.push('\n'),
                Some('t') => text.push('\t'),
                Some('r') => text.push('\r'),
                Some('b') => text.push('\u{8}'),
                Some('f') => text.push('\u{c}'),
                Some('u') => text.push(escaped_character(cursor)?),
                Some(escaped) => text.push(escaped),
                None => break,
            },
            next => text.push(next),
        }
    }
    Err(start.refused("a quote that nothing ends"))
}

fn escaped_character(cursor: &mut Cursor<'_>) -> Result<char, Refused> {
    let start = *cursor;
    let digits: String = (0..4).filter_map(|_| cursor.next()).collect();
    let code = u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32);
    code.ok_or_else(|| start.refused("four hexadecimal digits of a character are missing"))
}

fn alternatives(cursor: &mut Cursor<'_>, depth: usize) -> Result<Condition, Refused> {
    joined(cursor, depth, "||", Condition::Or, |cursor, depth| joined(cursor, depth, "&&", Condition::And, condition))
}

fn joined(
    cursor: &mut Cursor<'_>,
    depth: usize,
    token: &str,
    join: fn(Vec<Condition>) -> Condition,
    read: impl Fn(&mut Cursor<'_>, usize) -> Result<Condition, Refused>,
) -> Result<Condition, Refused> {
    let first = read(cursor, depth)?;
    let mut all = vec![first];
    loop {
        cursor.skip_blanks();
        if !cursor.takes(token) {
            break;
        }
        all.push(read(cursor, depth)?);
    }
    match (all.len(), all.pop()) {
        (1, Some(only)) => Ok(only),
        (_, Some(last)) => {
            all.push(last);
            Ok(join(all))
        }
        (_, None) => Err(cursor.refused("a condition is missing")),
    }
}

fn condition(cursor: &mut Cursor<'_>, depth: usize) -> Result<Condition, Refused> {
    if depth > MAX_DEPTH {
        return Err(cursor.refused("conditions are nested too deep"));
    }
    cursor.skip_blanks();
    if cursor.takes("(") {
        let within = alternatives(cursor, depth + 1)?;
        cursor.skip_blanks();
        return cursor.expect(")").map(|()| within);
    }
    if cursor.takes("!") {
        return Ok(Condition::Not(Box::new(condition(cursor, depth + 1)?)));
    }
    let left = operand(cursor)?;
    cursor.skip_blanks();
    match (operator(cursor)?, left) {
        (Some(operator), left) => {
            cursor.skip_blanks();
            Ok(Condition::Compares(left, operator, operand(cursor)?))
        }
        (None, Operand::Place(place)) => Ok(Condition::Exists(place)),
        (None, Operand::Literal(_)) => Err(cursor.refused("an operator is missing")),
    }
}

/// The operator that is next; `None` where the condition ends.
fn operator(cursor: &mut Cursor<'_>) -> Result<Option<Operator>, Refused> {
    let rest = cursor.rest();
    if rest.is_empty() || rest.starts_with([')', ']']) || rest.starts_with("&&") || rest.starts_with("||") {
        return Ok(None);
    }
    let place = *cursor;
    let word = cursor.take_while(char::is_alphanumeric).to_ascii_lowercase();
    for (name, operator) in Operator::NAMES {
        if name == word || word.is_empty() && cursor.takes(name) {
            return Ok(Some(operator));
        }
    }
    Err(place.refused("neither an operator nor the end of the condition"))
}

fn operand(cursor: &mut Cursor<'_>) -> Result<Operand, Refused> {
    if cursor.peek() == Some('$') {
        return Err(cursor.refused("a path from `$` within a condition is not supported: begin it with `@`"));
    }
    let start = *cursor;
    if !cursor.takes("@") {
        return literal(cursor).map(Operand::Literal);
    }
    let mut steps = Vec::new();
    read_steps(cursor, &mut steps, MAX_DEPTH + 1)?;
    match steps.iter().all(Step::is_definite) {
        true => Ok(Operand::Place(Place(steps))),
        false => Err(start.refused("a path that leads to several places is not supported within a condition")),
    }
}

fn literal(cursor: &mut Cursor<'_>) -> Result<Literal, Refused> {
    match cursor.peek() {
        Some(quote @ ('\'' | '"')) => quoted(cursor, quote).map(Literal::Text),
        Some('/') => regex(cursor).map(|regex| Literal::Regex(Box::new(regex))),
        Some('[') => list(cursor).map(Literal::List),
        _ => {
            let place = *cursor;
            let word = cursor.take_while(|next| next.is_alphanumeric() || "+-.".contains(next));
            match word {
                "true" => Ok(Literal::Flag(true)),
                "false" => Ok(Literal::Flag(false)),
                "null" => Ok(Literal::Null),
                "" => Err(place.refused("a value is missing")),
                word => number(word).ok_or_else(|| place.refused("no value: a text needs quotes")),
            }
        }
    }
}

fn number(word: &str) -> Option<Literal> {
    let is_number = word.starts_with(|first: char| first == '-' || first.is_ascii_digit());
    match word.parse() {
        _ if !is_number => None,
        Ok(whole) => Some(Literal::Whole(whole)),
        Err(_) => word.parse().ok().map(Literal::Float),
    }
}

fn list(cursor: &mut Cursor<'_>) -> Result<Vec<Literal>, Refused> {
    cursor.expect("[")?;
    let mut items = Vec::new();
    loop {
        cursor.skip_blanks();
        if items.is_empty() && cursor.takes("]") {
            return Ok(items);
        }
        if cursor.peek() == Some('[') {
            return Err(cursor.refused("lists within lists are not supported"));
        }
        items.push(literal(cursor)?);
        cursor.skip_blanks();
        if cursor.takes("]") {
            return Ok(items);
        }
        cursor.expect(",")?;
    }
}

/// An expression between slashes, of which a backslash takes the meaning, and its flags.
fn regex(cursor: &mut Cursor<'_>) -> Result<JavaRegex, Refused> {
    let start = *cursor;
    cursor.next();
    let mut pattern = String::new();
    loop {
        match cursor.next() {
            Some('/') => break,
            Some('\\') if cursor.peek() == Some('/') => {}
            Some('\\') => pattern.extend(['\\'].into_iter().chain(cursor.next())),
            Some(next) => pattern.push(next),
            None => return Err(start.refused("a regular expression that nothing ends")),
        }
    }
    let place = *cursor;
    let flags = cursor.take_while(char::is_alphabetic);
    if flags.chars().any(|flag| !"imsx".contains(flag)) {
        return Err(place.refused("flags of a regular expression are i, m, s and x"));
    }
    let pattern = if flags.is_empty() { pattern } else { format!("(?{flags}){pattern}") };
    JavaRegex::compile(&pattern).map_err(|error| start.refused(&format!("no regular expression ({error})")))
}
