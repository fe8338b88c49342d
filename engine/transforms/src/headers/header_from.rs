//! `HeaderFrom$Key` and `HeaderFrom$Value`: copies or moves fields into headers.
//!
//! ```text
//! transforms.trace.type=org.apache.kafka.connect.transforms.HeaderFrom$Value
//! transforms.trace.fields=trace_id
//! transforms.trace.headers=trace
//! transforms.trace.operation=move
//! ```

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StructArray};
use arrow::datatypes::{Field, FieldRef, Fields};
use volley_api::{
    Column, ConfigDef, ConfigKey, ConfigMap, ConfigType, ConfigValue, Error, Header, Headers, Importance, Plugin,
    Records, Result, Side, Transformation, Transformed, Validator, Value, schema,
};

use crate::columns::{
    ColumnWise, Failure, Outcome, SchemaCache, column_of, plugin_pair, replace_null_key, replaces_null, require_values,
    struct_field, top_level, value_at, with_column,
};

const FIELDS: &str = "fields";
const HEADERS: &str = "headers";
const OPERATION: &str = "operation";
const MOVE: &str = "move";
const COPY: &str = "copy";
const CLASSES: [&str; 2] =
    ["org.apache.kafka.connect.transforms.HeaderFrom$Key", "org.apache.kafka.connect.transforms.HeaderFrom$Value"];

/// Adds headers with the values of fields of the key or the value.
#[derive(Debug)]
pub struct HeaderFrom {
    columns: ColumnWise,
    moves: Moves,
    layouts: SchemaCache,
}

#[derive(Debug)]
struct Moves {
    /// Fields with the headers that they become.
    pairs: Vec<(String, Arc<str>)>,
    removes: bool,
    replaces_null: bool,
}

impl HeaderFrom {
    /// The keys of this transformation.
    pub fn config_def() -> ConfigDef {
        let list = |name, doc| {
            ConfigKey::required(name, ConfigType::List, Importance::High, doc).validated(Validator::custom(not_empty))
        };
        let operation = "Whether the fields stay where they are (copy) or not (move).";
        ConfigDef::new()
            .key(list(FIELDS, "Fields that become headers."))
            .key(list(HEADERS, "Names of the headers, one for each of the fields."))
            .key(
                ConfigKey::required(OPERATION, ConfigType::String, Importance::High, operation)
                    .validated(Validator::one_of([MOVE, COPY])),
            )
            .key(replace_null_key())
    }

    /// From its configuration, prefix stripped.
    ///
    /// # Errors
    /// `Config` if a key is missing, or there are not as many headers as fields.
    pub fn new(config: &ConfigMap, side: Side) -> Result<Self> {
        let config = Self::config_def().parse(config)?;
        let (fields, headers) = (config.list(FIELDS), config.list(HEADERS));
        if fields.len() != headers.len() {
            return Err(Error::config(format!(
                "'{FIELDS}' config must have the same number of elements as '{HEADERS}' config."
            )));
        }
        let pairs = fields.iter().zip(headers).map(|(field, header)| (field.clone(), header.as_str().into())).collect();
        let removes = config.string(OPERATION) == Some(MOVE);
        let moves = Moves { pairs, removes, replaces_null: replaces_null(&config) };
        Ok(Self { columns: ColumnWise::new(side, CLASSES), moves, layouts: SchemaCache::default() })
    }
}

fn not_empty(value: &ConfigValue) -> std::result::Result<(), String> {
    match value {
        ConfigValue::List(items) if !items.is_empty() => Ok(()),
        _ => Err("Empty list".to_owned()),
    }
}

impl Transformation for HeaderFrom {
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        let Self { columns, moves, layouts } = self;
        let side = columns.side;
        columns.apply(records, |name| moves.names(name), |records| moves.apply(records, side, layouts))
    }
}

impl Moves {
    fn names(&self, name: &str) -> bool {
        self.pairs.iter().any(|(field, _)| field == name)
    }

    fn apply(&self, records: &Records, side: Side, layouts: &mut SchemaCache) -> Outcome<Records> {
        let column = column_of(records, side);
        let purpose = if self.removes { "header move" } else { "header copy" };
        let structs = require_values(column, purpose)?;
        let has_schema = schema::has_schema(&column.field);
        let fields = structs.fields();
        if let Some((missing, _)) = self.pairs.iter().find(|(name, _)| has_schema && fields.find(name).is_none()) {
            let error = Error::data(format!("there is no field `{missing}`"));
            return Err(Failure::of_values(column, &error.with_exception("java.lang.NullPointerException")));
        }
        let arrays = top_level(structs, self.replaces_null && has_schema)?;
        let headers = self.headers(records, fields, &arrays, has_schema)?;
        let mut records = match self.removes {
            true => with_column(records, side, self.without_fields(column, structs, &arrays, layouts)?),
            false => records.clone(),
        };
        records.headers = Some(Arc::new(headers));
        Ok(records)
    }

    fn headers(&self, records: &Records, fields: &Fields, arrays: &[ArrayRef], has_schema: bool) -> Result<Headers> {
        let mut headers = match &records.headers {
            Some(headers) => headers.as_ref().clone(),
            None => vec![Vec::new(); records.len()],
        };
        for (name, header) in &self.pairs {
            let place = fields.find(name).map(|(place, _)| place);
            for (row, headers) in headers.iter_mut().enumerate() {
                let value = match place {
                    Some(place) => value_at(&fields[place], &arrays[place], row, has_schema)?,
                    None => Value::Null,
                };
                headers.push(Header::new(Arc::clone(header), value));
            }
        }
        Ok(headers)
    }

    fn without_fields(
        &self,
        column: &Column,
        structs: &StructArray,
        arrays: &[ArrayRef],
        layouts: &mut SchemaCache,
    ) -> Outcome<Column> {
        let is_kept = |field: &Field| !self.names(field.name());
        let layout = layouts.get(&column.field, || {
            let kept: Vec<FieldRef> = structs.fields().iter().filter(|field| is_kept(field)).cloned().collect();
            Ok(struct_field(&column.field, kept.into()))
        })?;
        let kept = structs.fields().iter().zip(arrays).filter(|(field, _)| is_kept(field));
        let kept = kept.map(|(_, values)| Arc::clone(values)).collect();
        let arrow::datatypes::DataType::Struct(fields) = layout.data_type() else { return Ok(column.clone()) };
        let array = StructArray::try_new_with_length(fields.clone(), kept, structs.nulls().cloned(), structs.len())?;
        Ok(Column::new(layout, Arc::new(array)))
    }
}

pub(crate) fn plugins() -> [Plugin; 2] {
    plugin_pair(CLASSES, "Copies or moves fields of the {side} into headers.", HeaderFrom::config_def, HeaderFrom::new)
}
