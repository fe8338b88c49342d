//! A path, and which rows have something there.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::DataType;
use volley_api::{Column, Error, Result};

use super::condition::Condition;
use super::located::{element, elements, member, members};
use super::parser::parse;

/// One step of a path.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Field(String),
    /// From the end if it is negative.
    Index(i64),
    All,
    Filter(Condition),
}

impl Step {
    /// Whether the step leads to one place.
    pub(super) fn is_definite(&self) -> bool {
        matches!(self, Self::Field(_) | Self::Index(_))
    }
}

/// What a path has found in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::confluent) enum Found {
    /// A value, or an element for which the conditions hold.
    Something,
    /// No element for which they hold.
    NoMatch,
    /// A place on the way, or at its end, is not there or null.
    Missing,
}

/// A path that was read.
#[derive(Clone, Debug)]
pub(in crate::confluent) struct JsonPath {
    steps: Vec<Step>,
}

impl JsonPath {
    /// # Errors
    /// What is not accepted, with its place.
    pub(in crate::confluent) fn parse(text: &str) -> std::result::Result<Self, String> {
        Ok(Self { steps: parse(text)? })
    }

    /// A path that leads to one place.
    ///
    /// # Errors
    /// What is not accepted, with its place; or that it may lead to several.
    pub(in crate::confluent) fn parse_definite(text: &str) -> std::result::Result<Self, String> {
        let path = Self::parse(text)?;
        match path.steps.iter().all(Step::is_definite) {
            true => Ok(path),
            false => Err("the path leads to more than one place".to_owned()),
        }
    }

    /// The path to a field of the root, whatever its name has in it.
    pub(in crate::confluent) fn of_field(name: &str) -> Self {
        Self { steps: vec![Step::Field(name.to_owned())] }
    }

    /// Whether the path looks into this field of the root.
    pub(in crate::confluent) fn looks_into(&self, name: &str) -> bool {
        match self.steps.first() {
            Some(Step::Field(first)) => first == name,
            Some(Step::Filter(condition)) => condition.looks_into(name),
            _ => true,
        }
    }

    /// What it finds in each row.
    pub(in crate::confluent) fn find(&self, column: &Column) -> Result<Vec<Found>> {
        find(column, &self.steps)
    }

    /// The values at the only place that it leads to; `None` where no row has any.
    pub(in crate::confluent) fn value(&self, column: &Column) -> Result<Option<Column>> {
        let mut current = column.clone();
        for step in &self.steps {
            let next = match step {
                Step::Field(name) => member(&current, name)?,
                Step::Index(index) => element(&current, *index)?,
                Step::All | Step::Filter(_) => return Err(Error::fatal("a path that is not definite has no value")),
            };
            match next {
                Some(next) => current = next,
                None => return Ok(None),
            }
        }
        Ok(Some(current))
    }
}

fn find(column: &Column, steps: &[Step]) -> Result<Vec<Found>> {
    let all_missing = || vec![Found::Missing; column.len()];
    let Some((step, rest)) = steps.split_first() else {
        let found = |row| if column.is_null(row) { Found::Missing } else { Found::Something };
        return Ok((0..column.len()).map(found).collect());
    };
    match step {
        Step::Field(name) => member(column, name)?.map_or_else(|| Ok(all_missing()), |next| find(&next, rest)),
        Step::Index(index) => element(column, *index)?.map_or_else(|| Ok(all_missing()), |next| find(&next, rest)),
        Step::All => match elements(column)? {
            Some(items) => any_element(&column.array, &find(&items, rest)?, |_| true),
            None => any_member(column, rest),
        },
        Step::Filter(condition) => match elements(column)? {
            Some(items) => {
                let holds = condition.holds(&items)?;
                any_element(&column.array, &find(&items, rest)?, |item| holds[item])
            }
            None => filtered_object(column, condition, rest),
        },
    }
}

/// Whether one of the elements of each list has something.
fn any_element(lists: &ArrayRef, found: &[Found], is_meant: impl Fn(usize) -> bool) -> Result<Vec<Found>> {
    let lists = lists.as_list::<i32>();
    let of_row = |row: usize| {
        if lists.is_null(row) {
            return Found::Missing;
        }
        let mut items = lists.value_offsets()[row] as usize..lists.value_offsets()[row + 1] as usize;
        match items.any(|item| found[item] == Found::Something && is_meant(item)) {
            true => Found::Something,
            false => Found::NoMatch,
        }
    };
    Ok((0..lists.len()).map(of_row).collect())
}

fn any_member(column: &Column, rest: &[Step]) -> Result<Vec<Found>> {
    let mut all: Vec<Found> = (0..column.len()).map(|row| object_at(column, row)).collect();
    for member in members(column)? {
        for (found, of_member) in all.iter_mut().zip(find(&member, rest)?) {
            if *found == Found::NoMatch && of_member == Found::Something {
                *found = Found::Something;
            }
        }
    }
    Ok(all)
}

/// An object for which the condition holds is what the filter finds.
fn filtered_object(column: &Column, condition: &Condition, rest: &[Step]) -> Result<Vec<Found>> {
    let holds = condition.holds(column)?;
    let found = find(column, rest)?.into_iter().enumerate().map(|(row, found)| match object_at(column, row) {
        Found::NoMatch if holds[row] && found == Found::Something => Found::Something,
        nothing => nothing,
    });
    Ok(found.collect())
}

/// Nothing found yet in an object, and nothing to find in what is none.
fn object_at(column: &Column, row: usize) -> Found {
    let is_object = matches!(column.field.data_type(), DataType::Struct(_) | DataType::Map(..));
    if is_object && !column.is_null(row) { Found::NoMatch } else { Found::Missing }
}
