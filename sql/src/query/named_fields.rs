//! The fields of the value that a query names, at every depth, and their addition as nulls to records without them.
//!
//! Objects of a schemaless topic have different fields. A field may be in none of the records so far because it is
//! optional and the task has just started. That is no error of the query.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, StructArray, new_null_array};
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion::sql::sqlparser::ast::{
    AccessExpr, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Subscript, Value,
};
use volley_api::{Column, Result};

/// A step into a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// To the member of this name.
    Member(String),
    /// To the elements of a list.
    Element,
}

/// The path of the list that is the first argument of a function, for example `array_length(tags)`.
pub(crate) fn path_of_list(expr: &Expr) -> Option<Vec<Step>> {
    let Expr::Function(function) = expr else { return None };
    let name = function.name.to_string().to_lowercase();
    let takes_a_list = name.starts_with("array_") || name.starts_with("list_") || name == "cardinality";
    let mut path = path_of(first_argument(function).filter(|_| takes_a_list)?)?;
    path.push(Step::Element);
    Some(path)
}

/// The path of a field access, for example `address.city`, `items[1]['sku']` or `unnest(items)`; `None` for other
/// expressions.
pub(crate) fn path_of(expr: &Expr) -> Option<Vec<Step>> {
    match expr {
        Expr::Identifier(ident) => Some(vec![Step::Member(ident.value.clone())]),
        Expr::CompoundIdentifier(parts) => Some(parts.iter().map(|part| Step::Member(part.value.clone())).collect()),
        Expr::Nested(inner) => path_of(inner),
        Expr::Function(function) => {
            let mut path = path_of(unnested(function)?)?;
            path.push(Step::Element);
            Some(path)
        }
        Expr::CompoundFieldAccess { root, access_chain } => {
            let mut path = path_of(root)?;
            for access in access_chain {
                path.push(step_of(access)?);
            }
            Some(path)
        }
        _ => None,
    }
}

fn unnested(function: &Function) -> Option<&Expr> {
    first_argument(function).filter(|_| function.name.to_string().eq_ignore_ascii_case("unnest"))
}

fn first_argument(function: &Function) -> Option<&Expr> {
    match &function.args {
        FunctionArguments::List(list) => match list.args.first() {
            Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(argument))) => Some(argument),
            _ => None,
        },
        _ => None,
    }
}

fn step_of(access: &AccessExpr) -> Option<Step> {
    match access {
        AccessExpr::Dot(Expr::Identifier(ident)) => Some(Step::Member(ident.value.clone())),
        AccessExpr::Dot(_) => None,
        AccessExpr::Subscript(Subscript::Index { index: Expr::Value(value) }) => match &value.value {
            Value::SingleQuotedString(name) => Some(Step::Member(name.clone())),
            _ => Some(Step::Element),
        },
        AccessExpr::Subscript(_) => Some(Step::Element),
    }
}

/// The fields that a query names, as a tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct NamedFields {
    members: BTreeMap<String, NamedFields>,
    element: Option<Box<NamedFields>>,
}

impl NamedFields {
    /// Adds the field of a path, and the fields above it.
    pub(crate) fn add(&mut self, path: &[Step]) {
        match path {
            [] => {}
            [Step::Member(name), rest @ ..] => self.members.entry(name.clone()).or_default().add(rest),
            [Step::Element, rest @ ..] => self.element.get_or_insert_default().add(rest),
        }
    }

    /// The names of the top-level fields.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.members.keys().map(String::as_str)
    }

    /// `field`, a struct, with the named fields that it does not have. Their paths are added to `absent`. A field
    /// without any hint of its type gets the type `unknown`.
    pub(crate) fn complete(&self, field: &Field, unknown: &DataType, absent: &mut Vec<Vec<String>>) -> FieldRef {
        Arc::new(field.clone().with_data_type(self.complete_type(field.data_type(), unknown, &[], absent)))
    }

    fn complete_type(
        &self,
        found: &DataType,
        unknown: &DataType,
        path: &[String],
        absent: &mut Vec<Vec<String>>,
    ) -> DataType {
        match (found, &self.element) {
            (DataType::Struct(fields), _) if !self.members.is_empty() => {
                let mut completed: Vec<FieldRef> = Vec::with_capacity(fields.len());
                for field in fields {
                    completed.push(match self.members.get(field.name()) {
                        Some(named) => {
                            let path = [path, std::slice::from_ref(field.name())].concat();
                            let completed = named.complete_type(field.data_type(), unknown, &path, absent);
                            Arc::new(field.as_ref().clone().with_data_type(completed))
                        }
                        None => Arc::clone(field),
                    });
                }
                for (name, named) in &self.members {
                    if fields.find(name).is_none() {
                        absent.push([path, std::slice::from_ref(name)].concat());
                        completed.push(Arc::new(Field::new(name, named.own_type(unknown), true)));
                    }
                }
                DataType::Struct(completed.into())
            }
            (DataType::List(element), Some(named)) => {
                let completed = named.complete_type(element.data_type(), unknown, path, absent);
                DataType::List(Arc::new(element.as_ref().clone().with_data_type(completed)))
            }
            (DataType::Null, _) if !self.members.is_empty() || self.element.is_some() => self.own_type(unknown),
            _ => found.clone(),
        }
    }

    /// The type that the query implies for a field that no record has had.
    fn own_type(&self, unknown: &DataType) -> DataType {
        if !self.members.is_empty() {
            let members = self.members.iter().map(|(name, named)| Field::new(name, named.own_type(unknown), true));
            return DataType::Struct(members.collect());
        }
        match &self.element {
            Some(element) => DataType::List(Arc::new(Field::new_list_field(element.own_type(unknown), true))),
            None => unknown.clone(),
        }
    }
}

/// `column` with the type of `field`, whose additional fields are null.
pub(crate) fn completed(column: &Column, field: &FieldRef) -> Result<Column> {
    Ok(Column::new(Arc::clone(field), completed_array(&column.array, field.data_type())?))
}

fn completed_array(array: &ArrayRef, into: &DataType) -> Result<ArrayRef> {
    if array.data_type() == into {
        return Ok(Arc::clone(array));
    }
    match (array.data_type(), into) {
        (DataType::Struct(from), DataType::Struct(fields)) => {
            let structs = array.as_struct();
            let columns = fields.iter().map(|field| completed_field(structs, from, field)).collect::<Result<_>>()?;
            let (nulls, len) = (structs.nulls().cloned(), structs.len());
            Ok(Arc::new(StructArray::try_new_with_length(fields.clone(), columns, nulls, len)?))
        }
        (DataType::List(_), DataType::List(element)) => {
            let lists = array.as_list::<i32>();
            let values = completed_array(lists.values(), element.data_type())?;
            let (offsets, nulls) = (lists.offsets().clone(), lists.nulls().cloned());
            Ok(Arc::new(ListArray::try_new(Arc::clone(element), offsets, values, nulls)?))
        }
        _ => Ok(new_null_array(into, array.len())),
    }
}

fn completed_field(structs: &StructArray, from: &Fields, field: &FieldRef) -> Result<ArrayRef> {
    match from.find(field.name()) {
        Some((index, _)) => completed_array(structs.column(index), field.data_type()),
        None => Ok(new_null_array(field.data_type(), structs.len())),
    }
}
