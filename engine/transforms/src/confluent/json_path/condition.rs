//! The condition of a filter, and the values for which it holds.

use volley_api::{Column, Result};

use super::comparison::{Operator, compare};
use super::literal::Literal;
use super::located::{element, member};
use super::path::Step;
use super::scalars::{Scalar, Scalars};

/// What stands between `?(` and `)`.
#[derive(Clone, Debug)]
pub(super) enum Condition {
    /// All hold.
    And(Vec<Condition>),
    /// One holds.
    Or(Vec<Condition>),
    Not(Box<Condition>),
    /// There is a value.
    Exists(Place),
    Compares(Operand, Operator, Operand),
}

/// A place within what is filtered: fields and elements from `@` on.
#[derive(Clone, Debug)]
pub(super) struct Place(pub(super) Vec<Step>);

#[derive(Clone, Debug)]
pub(super) enum Operand {
    Place(Place),
    Literal(Literal),
}

impl Place {
    fn values(&self, column: &Column) -> Result<Option<Column>> {
        let mut current = column.clone();
        for step in &self.0 {
            let next = match step {
                Step::Field(name) => member(&current, name)?,
                Step::Index(index) => element(&current, *index)?,
                Step::All | Step::Filter(_) => None,
            };
            let Some(next) = next else { return Ok(None) };
            current = next;
        }
        Ok(Some(current))
    }

    fn looks_into(&self, name: &str) -> bool {
        match self.0.first() {
            Some(Step::Field(first)) => first == name,
            _ => true,
        }
    }
}

impl Condition {
    /// Whether it looks into this field of what is filtered.
    pub(super) fn looks_into(&self, name: &str) -> bool {
        let operand = |operand: &Operand| matches!(operand, Operand::Place(place) if place.looks_into(name));
        match self {
            Self::And(all) | Self::Or(all) => all.iter().any(|condition| condition.looks_into(name)),
            Self::Not(condition) => condition.looks_into(name),
            Self::Exists(place) => place.looks_into(name),
            Self::Compares(left, _, right) => operand(left) || operand(right),
        }
    }

    /// Whether it holds, for each value.
    pub(super) fn holds(&self, column: &Column) -> Result<Vec<bool>> {
        match self {
            Self::And(all) => combined(all, column, true, |one, other| one && other),
            Self::Or(all) => combined(all, column, false, |one, other| one || other),
            Self::Not(condition) => Ok(condition.holds(column)?.into_iter().map(|holds| !holds).collect()),
            Self::Exists(place) => Ok(match place.values(column)? {
                Some(values) => (0..values.len()).map(|row| !values.is_null(row)).collect(),
                None => vec![false; column.len()],
            }),
            Self::Compares(left, operator, right) => {
                let (left, right) = (Side::of(left, column)?, Side::of(right, column)?);
                // Value by value, without a copy of any: the two may be of different types.
                Ok((0..column.len()).map(|row| compare(left.at(row), *operator, right.at(row))).collect())
            }
        }
    }
}

fn combined(all: &[Condition], column: &Column, start: bool, join: fn(bool, bool) -> bool) -> Result<Vec<bool>> {
    let mut joined = vec![start; column.len()];
    for condition in all {
        for (joined, holds) in joined.iter_mut().zip(condition.holds(column)?) {
            *joined = join(*joined, holds);
        }
    }
    Ok(joined)
}

/// One side of a comparison.
enum Side<'a> {
    Literal(&'a Literal),
    Values(Scalars),
    Nothing,
}

impl<'a> Side<'a> {
    fn of(operand: &'a Operand, column: &Column) -> Result<Self> {
        Ok(match operand {
            Operand::Literal(literal) => Self::Literal(literal),
            Operand::Place(place) => match place.values(column)? {
                Some(values) => Self::Values(Scalars::of(&values)?),
                None => Self::Nothing,
            },
        })
    }

    fn at(&self, row: usize) -> Scalar<'_> {
        match self {
            Self::Literal(literal) => literal.scalar(),
            Self::Values(values) => values.at(row),
            Self::Nothing => Scalar::Missing,
        }
    }
}
