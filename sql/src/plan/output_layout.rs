//! The use of each column of a query's result: a field of the value, the key, the topic or the timestamp.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema};
use datafusion::common::{Column, Result, TableReference, plan_err};
use datafusion::logical_expr::{Expr, LogicalPlan, Projection, cast};
use volley_api::schema::{DEFAULT, HAS_SCHEMA, has_schema, timestamp_type, without_schema};
use volley_api::{Semantics, meant_field};

use super::connect_types::connect_type;
use super::row_number::row_number_of;
use crate::functions::{is_json_value, json_text};
use crate::records_table::{MetaColumn, NO_FIELD, RecordsTable, field_name};

/// The use of a result column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// A field of the value.
    Value,
    Key,
    Topic,
    Timestamp,
}

impl Role {
    /// Determined by the column's name.
    pub(crate) fn of(name: &str) -> Self {
        match name {
            _ if name == MetaColumn::Key.name() => Self::Key,
            _ if name == MetaColumn::Topic.name() => Self::Topic,
            _ if name == MetaColumn::Timestamp.name() => Self::Timestamp,
            _ => Self::Value,
        }
    }
}

/// A column of the result, before its type is final.
#[derive(Debug)]
pub(crate) struct OutputColumn {
    name: String,
    role: Role,
    nullable: bool,
    /// The field of the records that it copies unchanged.
    unchanged: Option<FieldRef>,
    /// Whether it copies the whole key.
    is_key: bool,
    /// Whether the metadata of its type applies to its values: it copies a value of the records.
    keeps_metadata: bool,
}

/// Adds a cast to Connect's types for every column of `plan`. The row number stays last.
pub(crate) fn shape_outputs(
    plan: LogicalPlan,
    table: &RecordsTable,
    records_name: &str,
) -> Result<(LogicalPlan, Vec<OutputColumn>)> {
    let Some(row_number) = row_number_of(plan.schema(), records_name) else {
        return plan_err!("the query lost the rows' numbers");
    };
    let mut expressions = Vec::new();
    let mut outputs = Vec::new();
    for (index, (qualifier, field)) in plan.schema().iter().enumerate() {
        let column = Column::from((qualifier, field));
        if column == row_number || field.name() == NO_FIELD {
            continue;
        }
        let role = Role::of(field.name());
        let source = source_of(&plan, index);
        let (mut output, mut found) = (Expr::Column(column), Arc::clone(field));
        if is_json_value(found.data_type()) {
            output = json_text(output);
            found = Arc::new(found.as_ref().clone().with_data_type(DataType::Utf8View));
        }
        let copied = match source {
            Some(Expr::Column(source)) if refers_to(source.relation.as_ref(), records_name) => Some(source),
            _ => None,
        };
        let original = copied.filter(|_| matches!(role, Role::Value | Role::Key));
        let original = original.and_then(|source| table.original_field(&source.name));
        // a time of Debezium's that is not computed with is the number again that it was
        let meant = original.filter(|original| meant_field(original, Semantics::Times).is_some());
        let target = match &meant {
            Some(original) => original.data_type().clone(),
            None => output_type(role, &found)?,
        };
        let is_cast = meant.is_none() && &target != field.data_type();
        if &target != found.data_type() {
            output = cast_to(output, found.data_type(), target);
        }
        let unchanged = copied.filter(|_| !is_cast);
        outputs.push(OutputColumn {
            name: field_name(field.name()).to_owned(),
            role,
            nullable: field.is_nullable(),
            unchanged: unchanged.and_then(|source| table.original_field(&source.name)),
            is_key: unchanged.is_some_and(|source| source.name == MetaColumn::Key.name()),
            keeps_metadata: !is_cast && source.is_some_and(takes_a_value_out),
        });
        expressions.push(output.alias(format!("{}", outputs.len() - 1)));
    }
    expressions.push(Expr::Column(row_number));
    let shaped = LogicalPlan::Projection(Projection::try_new(expressions, Arc::new(plan))?);
    Ok((shaped, outputs))
}

fn output_type(role: Role, field: &Field) -> Result<DataType> {
    let data_type = field.data_type();
    match role {
        Role::Value | Role::Key => connect_type(data_type).or_else(|name| {
            let column = field.name();
            plan_err!("the column `{column}` has the type {name}, which Connect has nothing for; cast it, for example to VARCHAR")
        }),
        Role::Topic => Ok(DataType::Utf8),
        Role::Timestamp if data_type == &DataType::Boolean || data_type.is_nested() => {
            plan_err!("`_timestamp` must be a timestamp, a number of milliseconds or a text, not {data_type}")
        }
        Role::Timestamp => Ok(timestamp_type()),
    }
}

/// Casts an expression. Numbers of any width become timestamps as milliseconds.
fn cast_to(expression: Expr, from: &DataType, target: DataType) -> Expr {
    match (from.is_numeric(), &target) {
        (true, DataType::Timestamp(..)) => cast(cast(expression, DataType::Int64), target),
        _ => cast(expression, target),
    }
}

/// The expression behind the column `index` of the user's SELECT list.
fn source_of(plan: &LogicalPlan, index: usize) -> Option<&Expr> {
    let LogicalPlan::Projection(projection) = plan else {
        return None;
    };
    let mut expression = projection.expr.get(index)?;
    while let Expr::Alias(alias) = expression {
        expression = &alias.expr;
    }
    Some(expression)
}

fn refers_to(relation: Option<&TableReference>, records_name: &str) -> bool {
    relation.is_some_and(|relation| relation.table() == records_name)
}

fn takes_a_value_out(expression: &Expr) -> bool {
    match expression {
        Expr::Column(_) => true,
        Expr::ScalarFunction(function) => matches!(function.name(), "get_field" | "array_element"),
        _ => false,
    }
}

/// The places of the records' parts in the result.
#[derive(Debug)]
pub(crate) struct OutputLayout {
    /// The new value's field; a struct of `value_columns`.
    pub(crate) value: FieldRef,
    /// Its children, in order.
    pub(crate) fields: Fields,
    /// The result columns of the children.
    pub(crate) value_columns: Vec<usize>,
    /// The column with the key, and its field.
    pub(crate) key: Option<(usize, FieldRef)>,
    pub(crate) topic: Option<usize>,
    pub(crate) timestamp: Option<usize>,
    pub(crate) row_number: usize,
}

impl OutputLayout {
    /// `schema`: that of the result, with the row number last. `value`: the field of the records' value.
    pub(crate) fn new(outputs: &[OutputColumn], schema: &Schema, value: &Field) -> Self {
        let mut fields = Vec::new();
        let mut layout = Self {
            value: Arc::new(value.clone()),
            fields: Fields::empty(),
            value_columns: Vec::new(),
            key: None,
            topic: None,
            timestamp: None,
            row_number: outputs.len(),
        };
        for (index, (output, field)) in outputs.iter().zip(schema.fields()).enumerate() {
            match output.role {
                Role::Value => {
                    fields.push(output_field(output, field));
                    layout.value_columns.push(index);
                }
                Role::Key => layout.key = Some((index, key_field(output, field, value))),
                Role::Topic => layout.topic = Some(index),
                Role::Timestamp => layout.timestamp = Some(index),
            }
        }
        layout.fields = fields.into();
        layout.value = Arc::new(root_field(value, layout.fields.clone()));
        layout
    }
}

fn output_field(output: &OutputColumn, planned: &Field) -> Field {
    match &output.unchanged {
        // Its type is the planned one, since children may have been planned with other metadata.
        Some(original) => {
            let mut metadata = original.metadata().clone();
            metadata.remove(HAS_SCHEMA);
            Field::new(&output.name, planned.data_type().clone(), original.is_nullable()).with_metadata(metadata)
        }
        None => {
            let field = Field::new(&output.name, planned.data_type().clone(), output.nullable);
            if output.keeps_metadata { field.with_metadata(planned.metadata().clone()) } else { field }
        }
    }
}

fn key_field(output: &OutputColumn, planned: &Field, value: &Field) -> FieldRef {
    if let Some(original) = output.unchanged.as_ref().filter(|_| output.is_key) {
        return Arc::clone(original);
    }
    let field = output_field(output, planned).with_name("key").with_nullable(true);
    let schemaless = value.data_type() != &DataType::Null && !has_schema(value);
    Arc::new(if schemaless { without_schema(field) } else { field })
}

/// The new value keeps name, version and doc of a struct's schema, as Connect's transformations do.
fn root_field(value: &Field, fields: Fields) -> Field {
    let mut metadata = value.metadata().clone();
    match value.data_type() {
        DataType::Struct(_) => drop(metadata.remove(DEFAULT)),
        _ => metadata.retain(|key, _| key == HAS_SCHEMA),
    }
    Field::new(value.name(), DataType::Struct(fields), value.is_nullable()).with_metadata(metadata)
}
