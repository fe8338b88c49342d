//! The columns of one Avro schema.

use std::sync::Arc;

use arrow::array::BinaryBuilder;
use volley_api::{ConfigMap, Result, Side};

use crate::JsonConverter;
use crate::avro::mapping::settings::AvroSettings;
use crate::avro::mapping::to_connect_schema::to_connect_schema;
use crate::avro::schema::avro_schema::{AvroSchema, Kind};
use crate::avro::values::anything::{anything_as_json, is_anything};
use crate::avro::values::read::read_message;
use crate::avro::values::read_plan::ReadPlan;
use crate::json::{Failure, Schema, SchemaReader};
use crate::registry::{Parsed, Part, SectionReader, kept_rows};

/// Reads values of one schema.
#[derive(Debug)]
pub(crate) enum AvroReader {
    /// Values of a type; the builders are kept between batches.
    Typed {
        /// How they are read.
        plan: Option<ReadPlan>,
        /// What they are read into, or why they are refused.
        schema: Box<Schema>,
    },
    /// Values without a schema in Connect become columns as those of plain JSON do.
    Anything(Box<JsonConverter>),
}

impl AvroReader {
    /// A reader of values of this schema, or of none: then each value is refused with this reason. `version` is that of the
    /// schema, unless it says one itself.
    ///
    /// # Errors
    /// None.
    pub(crate) fn new(schema: Parsed<&AvroSchema>, version: Option<i32>, settings: AvroSettings) -> Result<Self> {
        if schema.as_ref().is_ok_and(|schema| is_anything(schema)) {
            let plain = ConfigMap::from([("schemas.enable".to_owned(), "false".to_owned())]);
            return Ok(Self::Anything(Box::new(JsonConverter::new(&plain, Side::Value)?)));
        }
        let version = version.filter(|_| schema.as_ref().is_ok_and(|schema| matches!(schema.kind, Kind::Record(_))));
        let mapped = schema.and_then(|schema| to_connect_schema(schema, settings));
        let (plan, root) = match mapped {
            Ok((mut connect, plan)) => {
                if let (Some(version), None) = (version, connect.get("version")) {
                    connect["version"] = version.into();
                }
                // a null is a null: which default it stands for is for those who read the struct
                let reader = SchemaReader { replace_null_with_default: false };
                (Some(plan), reader.root(&connect))
            }
            Err(reason) => (None, Err(reason)),
        };
        Ok(Self::Typed { plan, schema: Box::new(Schema::of(root)) })
    }
}

impl SectionReader for AvroReader {
    fn read(
        &mut self,
        topic: &str,
        messages: &[Option<&[u8]>],
        reject: &mut dyn FnMut(usize, Failure),
    ) -> Result<Vec<Part>> {
        match self {
            Self::Typed { plan, schema } => {
                let plan = plan.as_ref();
                let read = |node: &mut _, message: &[u8], at| match plan {
                    Some(plan) => read_message(plan, node, message, at),
                    None => Err(Failure::unfit("there is no schema")),
                };
                schema.decode_parts(read, messages, reject)
            }
            Self::Anything(json) => read_anything(json, topic, messages, reject),
        }
    }
}

fn read_anything(
    json: &mut JsonConverter,
    topic: &str,
    messages: &[Option<&[u8]>],
    reject: &mut dyn FnMut(usize, Failure),
) -> Result<Vec<Part>> {
    let mut rejected = Vec::new();
    let mut texts = BinaryBuilder::new();
    for (row, message) in messages.iter().enumerate() {
        match message.map(anything_as_json).transpose() {
            Ok(text) => texts.append_option(text),
            Err(failure) => {
                rejected.push(row);
                reject(row, failure);
            }
        }
    }
    let rows = kept_rows(messages.len(), &rejected);
    let converted = json.convert(&Arc::from(topic), &texts.finish(), Side::Value)?;
    for bad in converted.rejected {
        reject(rows[bad.row], Failure::unfit(bad.error.to_string()));
    }
    let parts = converted.runs.into_iter();
    Ok(parts.map(|run| (run.rows.iter().map(|row| rows[row]).collect(), run.column)).collect())
}
