//! The operators of conditions, as Jayway's JsonPath has them: a number and a text are equal if they say the same; a comparison of
//! other types is false.

use std::cmp::Ordering;

use volley_java::{JavaRegex, compare_strings, double_text};

use super::literal::Literal;
use super::scalars::Scalar;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Matches,
    In,
    NotIn,
    SubsetOf,
    AnyOf,
    NoneOf,
    Contains,
    Size,
    Empty,
}

impl Operator {
    /// As they are written; one that another begins with is behind it.
    pub(super) const NAMES: [(&'static str, Self); 15] = [
        ("==", Self::Equal),
        ("!=", Self::NotEqual),
        ("<=", Self::LessOrEqual),
        ("<", Self::Less),
        (">=", Self::GreaterOrEqual),
        (">", Self::Greater),
        ("=~", Self::Matches),
        ("in", Self::In),
        ("nin", Self::NotIn),
        ("subsetof", Self::SubsetOf),
        ("anyof", Self::AnyOf),
        ("noneof", Self::NoneOf),
        ("contains", Self::Contains),
        ("size", Self::Size),
        ("empty", Self::Empty),
    ];
}

pub(super) fn compare(left: Scalar<'_>, operator: Operator, right: Scalar<'_>) -> bool {
    let ordered = |is_meant: fn(Ordering) -> bool| order(left, right).is_some_and(is_meant);
    match operator {
        Operator::Equal => is_equal(left, right),
        Operator::NotEqual => !is_equal(left, right),
        Operator::Less => ordered(Ordering::is_lt),
        Operator::LessOrEqual => ordered(Ordering::is_le),
        Operator::Greater => ordered(Ordering::is_gt),
        Operator::GreaterOrEqual => ordered(Ordering::is_ge),
        Operator::Matches => match (left, right) {
            (Scalar::Regex(_), Scalar::Regex(_)) => false,
            (text, Scalar::Regex(regex)) | (Scalar::Regex(regex), text) => matches(regex, text),
            _ => false,
        },
        Operator::In => holds_any(right, |item| is_equal(left, item)) == Some(true),
        Operator::NotIn => holds_any(right, |item| is_equal(left, item)) == Some(false),
        Operator::SubsetOf => is_subset(left, right),
        Operator::AnyOf => any_in_both(left, right) == Some(true),
        Operator::NoneOf => any_in_both(left, right) == Some(false),
        Operator::Contains => match (left, right) {
            (Scalar::Text(text), Scalar::Text(part)) => text.contains(part),
            (list, item) => holds_any(list, |found| is_equal(found, item)) == Some(true),
        },
        Operator::Size => match right {
            Scalar::Whole(size) => len(left).is_some_and(|len| i64::try_from(len) == Ok(size)),
            _ => false,
        },
        Operator::Empty => match right {
            Scalar::Flag(flag) => len(left).is_some_and(|len| (len == 0) == flag),
            _ => false,
        },
    }
}

fn is_equal(left: Scalar<'_>, right: Scalar<'_>) -> bool {
    match (left, right) {
        (Scalar::Missing | Scalar::Null, Scalar::Null) | (Scalar::Null, Scalar::Missing) => true,
        (Scalar::Flag(one), Scalar::Flag(other)) => one == other,
        (Scalar::Text(one), Scalar::Text(other)) => one == other,
        (Scalar::Text(text), Scalar::Whole(number)) => text == number.to_string(),
        (Scalar::Text(text), Scalar::Float(number)) => text == double_text(number),
        (Scalar::Whole(_) | Scalar::Float(_), Scalar::Text(text)) => match text.parse() {
            Ok(number) => order(left, Scalar::Float(number)) == Some(Ordering::Equal),
            Err(_) => false,
        },
        (Scalar::Whole(_) | Scalar::Float(_), Scalar::Whole(_) | Scalar::Float(_)) => {
            order(left, right) == Some(Ordering::Equal)
        }
        _ => false,
    }
}

fn order(left: Scalar<'_>, right: Scalar<'_>) -> Option<Ordering> {
    match (left, right) {
        (Scalar::Whole(one), Scalar::Whole(other)) => Some(one.cmp(&other)),
        (Scalar::Text(one), Scalar::Text(other)) => Some(compare_strings(one, other)),
        (one, other) => number(one)?.partial_cmp(&number(other)?),
    }
}

fn number(scalar: Scalar<'_>) -> Option<f64> {
    match scalar {
        Scalar::Whole(number) => Some(number as f64),
        Scalar::Float(number) => Some(number),
        _ => None,
    }
}

/// What has no text is matched as an empty one. An expression that backtracks without end matches nothing.
fn matches(regex: &JavaRegex, scalar: Scalar<'_>) -> bool {
    let is_match = |text: &str| regex.matches(text).unwrap_or(false);
    match scalar {
        Scalar::Text(text) => is_match(text),
        Scalar::Whole(number) => is_match(&number.to_string()),
        Scalar::Float(number) => is_match(&double_text(number)),
        Scalar::Flag(flag) => is_match(if flag { "true" } else { "false" }),
        _ => is_match(""),
    }
}

/// Whether one of the elements of a list is meant; `None` if there is no list.
fn holds_any(list: Scalar<'_>, is_meant: impl Fn(Scalar<'_>) -> bool) -> Option<bool> {
    match list {
        Scalar::List(items) => Some(items.iter().any(is_meant)),
        Scalar::Literals(items) => Some(items.iter().map(Literal::scalar).any(is_meant)),
        _ => None,
    }
}

fn any_in_both(left: Scalar<'_>, right: Scalar<'_>) -> Option<bool> {
    holds_any(left, |_| true)?;
    holds_any(right, |item| holds_any(left, |found| is_equal(found, item)) == Some(true))
}

fn is_subset(left: Scalar<'_>, right: Scalar<'_>) -> bool {
    if holds_any(right, |_| true).is_none() {
        return false;
    }
    let is_elsewhere = |item: Scalar<'_>| holds_any(right, |other| is_equal(item, other)) == Some(false);
    holds_any(left, is_elsewhere) == Some(false)
}

/// How much there is in a list, in characters of Java in a text.
fn len(scalar: Scalar<'_>) -> Option<usize> {
    match scalar {
        Scalar::Text(text) => Some(text.encode_utf16().count()),
        Scalar::List(items) => Some(items.len()),
        Scalar::Literals(items) => Some(items.len()),
        _ => None,
    }
}
