//! The records of a topic as rows with columns.

use std::sync::Arc;

use arrow::datatypes::{FieldRef, SchemaRef};
use volley_api::schema::has_schema;
use volley_api::{Records, RejectedRow, Result};

use super::shape::{Shape, schema};
use crate::format::rows::{Made, RowMaker, Rows};

/// Makes rows with columns. The columns grow with the values: schemas that come in turns share them once they hold all.
#[derive(Debug)]
pub(crate) struct ColumnRows {
    /// Whether values that have a schema get its columns, and no others.
    keeps_schemas: bool,
    shape: Option<Shape>,
    schema: Option<SchemaRef>,
}

impl ColumnRows {
    /// No columns yet. `keeps_schemas`: values that have a schema get its columns, and no others.
    pub(crate) fn new(keeps_schemas: bool) -> Self {
        Self { keeps_schemas, shape: None, schema: None }
    }

    /// How to write values of `field`: widens the columns where they do not hold it.
    fn shape_for(&mut self, field: &FieldRef) -> (Shape, SchemaRef) {
        if let (Some(shape), Some(schema)) = (&self.shape, &self.schema)
            && shape.is_of(field)
        {
            return (shape.clone(), Arc::clone(schema));
        }
        let shape = Shape::of(field);
        let agreement = shape.agreement();
        let schema = match self.schema.take() {
            _ if self.keeps_schemas && has_schema(field) => schema(shape.fields()),
            Some(current) if agreement.holds(current.fields(), shape.fields()) => current,
            Some(current) => {
                schema(&agreement.merge(current.fields(), shape.fields()).unwrap_or(shape.fields().clone()))
            }
            None => schema(shape.fields()),
        };
        self.shape = Some(shape.clone());
        self.schema = Some(Arc::clone(&schema));
        (shape, schema)
    }
}

impl RowMaker for ColumnRows {
    fn rows(&mut self, records: &Records, _rejected: &mut Vec<RejectedRow>) -> Result<Made> {
        let (shape, schema) = self.shape_for(&records.value.field);
        Ok(Made::all(Rows::Columns(shape.rows(&records.value, &schema)?)))
    }
}
