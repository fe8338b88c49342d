//! `HeaderToField$Key` and `HeaderToField$Value`: copies headers into fields.
//!
//! ```text
//! transforms.trace.type=com.github.jcustenborder.kafka.connect.transform.common.HeaderToField$Value
//! transforms.trace.header.mappings=trace:STRING:trace_id,retries:INT32
//! ```
//!
//! A mapping is `header:type` or `header:type:field`. Of several headers of one name the last counts.

use std::sync::Arc;

use arrow::datatypes::Field;
use volley_api::{
    ConfigDef, ConfigKey, ConfigMap, ConfigType, ConfigValue, Error, Header, Importance, Plugin, Records, Result, Side,
    Transformation, Transformed, Validator,
};

use super::header_conversion::Target;
use crate::columns::{ColumnWise, Failure, Outcome, column_of, schema_builder_error, with_column, with_members};
use crate::jcustenborder::supported::{members, pair, require_schema_struct};

const MAPPINGS: &str = "header.mappings";
const CLASSES: [&str; 2] = [
    "com.github.jcustenborder.kafka.connect.transform.common.HeaderToField$Key",
    "com.github.jcustenborder.kafka.connect.transform.common.HeaderToField$Value",
];

/// Copies headers into fields.
#[derive(Debug)]
pub(in crate::jcustenborder) struct HeaderToField {
    columns: ColumnWise,
    mappings: Vec<Mapping>,
}

#[derive(Debug)]
struct Mapping {
    header: String,
    target: Target,
    field: String,
}

impl Mapping {
    fn parse(text: &str) -> std::result::Result<Self, String> {
        let parts: Vec<&str> = text.trim_end_matches(':').split(':').collect();
        let (header, target, field) = match parts[..] {
            [header, target] => (header.trim(), target, header.trim()),
            [header, target, field] => (header.trim(), target, field),
            _ => return Err("a mapping is `header:type` or `header:type:field`".to_owned()),
        };
        let target =
            Target::named(target.trim()).ok_or_else(|| format!("`{}` is no type of a header", target.trim()))?;
        Ok(Self { header: header.to_owned(), target, field: field.to_owned() })
    }
}

impl HeaderToField {
    pub(in crate::jcustenborder) fn config_def() -> ConfigDef {
        let mappings = "Headers with the types and names of the fields that they become: `header:type` or `header:type:field`. Types \
                        are STRING, BOOLEAN, INT8, INT16, INT32, INT64, FLOAT32, FLOAT64, INT64(Timestamp), INT32(Date), INT32(Time) \
                        and BYTES(Decimal[scale=2]).";
        ConfigDef::new().key(
            ConfigKey::required(MAPPINGS, ConfigType::List, Importance::High, mappings)
                .validated(Validator::custom(are_mappings)),
        )
    }

    /// # Errors
    /// `Config` if a mapping cannot be read.
    pub(in crate::jcustenborder) fn new(config: &ConfigMap, side: Side) -> Result<Self> {
        let given = config.get(MAPPINGS).map(String::as_str).unwrap_or_default();
        for mapping in given.split(',').map(str::trim).filter(|mapping| !mapping.is_empty()) {
            Mapping::parse(mapping).map_err(|reason| {
                Error::config(format!("Invalid value {mapping} for configuration {MAPPINGS}")).with_place(reason)
            })?;
        }
        let config = Self::config_def().parse(config)?;
        let mappings = config.list(MAPPINGS).iter().map(|mapping| Mapping::parse(mapping).map_err(Error::config));
        let mappings = mappings.collect::<Result<_>>()?;
        Ok(Self { columns: ColumnWise::new(side, CLASSES), mappings })
    }
}

fn are_mappings(value: &ConfigValue) -> std::result::Result<(), String> {
    let ConfigValue::List(mappings) = value else { return Ok(()) };
    mappings
        .iter()
        .try_for_each(|mapping| Mapping::parse(mapping).map(drop).map_err(|reason| format!("{mapping}: {reason}")))
}

impl Transformation for HeaderToField {
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        let Self { columns, mappings } = self;
        let side = columns.side;
        columns.apply(records, |_| false, |records| inserted(records, side, mappings))
    }
}

fn inserted(records: &Records, side: Side, mappings: &[Mapping]) -> Outcome<Records> {
    let column = column_of(records, side);
    let structs = require_schema_struct(column)?;
    let mut members = members(column, structs)?;
    let mut failed = Vec::new();
    for mapping in mappings {
        if members.iter().any(|(field, _)| *field.name() == mapping.field) {
            let message = format!("Cannot create field because of field name duplication {}", mapping.field);
            return Err(Failure::of_values(column, &schema_builder_error(message)));
        }
        // Row by row, as headers are kept.
        let header = |row: usize| -> Option<&Header> {
            let headers = records.headers.as_ref()?;
            headers[row].iter().rfind(|header| *header.name == *mapping.header)
        };
        let headers = (0..records.len()).map(|row| if column.is_null(row) { None } else { header(row) });
        let (array, mut wrong) = mapping.target.array(headers)?;
        failed.append(&mut wrong);
        let field = Field::new(&mapping.field, array.data_type().clone(), true);
        members.push((Arc::new(field), array));
    }
    if !failed.is_empty() {
        failed.sort_by_key(|(row, _)| *row);
        failed.dedup_by_key(|(row, _)| *row);
        return Err(Failure::Rows(failed));
    }
    Ok(with_column(records, side, with_members(column, structs, members)?))
}

pub(in crate::jcustenborder) fn plugins() -> [Plugin; 2] {
    let what = "Copies headers into fields of the {side}.";
    pair(CLASSES, what, HeaderToField::config_def, HeaderToField::new)
}
