//! `ExtractNewDocumentState`: change events of MongoDB become the state of their document.
//!
//! ```text
//! transforms.unwrap.type=io.debezium.connector.mongodb.transforms.ExtractNewDocumentState
//! transforms.unwrap.array.encoding=document
//!
//! {"after":"{\"_id\": 1, \"tags\": [\"a\", 2]}",…}  ─►  {"_id":1,"tags":{"_0":"a","_1":2}}
//! ```
//!
//! The id in the key becomes a value, too. Row by row, since each document has a schema of its own.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, StringArray, StructArray, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, FieldRef};
use volley_api::{
    Column, ConfigDef, ConfigKey, ConfigMap, ConfigType, ConfigValue, Error, Header, Headers, Importance, Records,
    RejectedRow, Result, Stage, Transformation, Transformed, Validator, Value, schema,
};

use super::bson::Bson;
use super::bson_arrays::array_of;
use super::document_schema::{ArrayEncoding, fields, typed_field};
use super::flat_documents::{flat, flat_names};
use crate::columns::{SharedFields, schema_builder_error};
use crate::debezium::envelope::{class_cast, is_envelope, member, no_such_field, refused};
use crate::debezium::event_headers::{headers_of, with_event_headers};
use crate::debezium::events::{taken, with_shared_schemas};
use crate::debezium::field_reference::{FieldReference, Located};
use crate::debezium::new_record_state::{DeleteHandling, Deletes};

const CLASS: &str = "io.debezium.connector.mongodb.transforms.ExtractNewDocumentState";
const ARRAY_ENCODING: &str = "array.encoding";
const FLATTEN: &str = "flatten.struct";
const DELIMITER: &str = "flatten.struct.delimiter";
const ADD_FIELDS: &str = "add.fields";
const ADD_FIELDS_PREFIX: &str = "add.fields.prefix";
const ADD_HEADERS: &str = "add.headers";
const ADD_HEADERS_PREFIX: &str = "add.headers.prefix";
const ROUTE_BY_FIELD: &str = "route.by.field";
const DELETED: &str = "__deleted";
const ID: &str = "_id";

/// Replaces change events of MongoDB by the state of their document.
#[derive(Clone, Debug)]
pub(in crate::debezium) struct ExtractNewDocumentState {
    handling: DeleteHandling,
    encoding: ArrayEncoding,
    delimiter: Option<String>,
    fields: Vec<FieldReference>,
    headers: Vec<FieldReference>,
    schemas: SharedFields,
}

impl ExtractNewDocumentState {
    /// The keys of this transformation.
    pub(in crate::debezium) fn config_def() -> ConfigDef {
        let key =
            |name, config_type, default, doc| ConfigKey::with_default(name, config_type, default, Importance::Low, doc);
        let arrays = "How lists are written: as lists (array), whose elements must have one type, or as structs (document) with a \
                      field for each element.";
        let fields = "Fields of the event to add: `op`, `source.ts_ms`, or `source.ts_ms:name` for another name.";
        let def = ConfigDef::new()
            .key(
                ConfigKey::with_default(ARRAY_ENCODING, ConfigType::String, "array", Importance::Medium, arrays)
                    .validated(Validator::custom(is_encoding)),
            )
            .key(key(
                FLATTEN,
                ConfigType::Boolean,
                "false",
                "Whether documents within the document become its own fields.",
            ))
            .key(key(DELIMITER, ConfigType::String, "_", "What stands between the names that a flat name is made of."))
            .key(key(ADD_FIELDS, ConfigType::List, "", fields))
            .key(key(ADD_FIELDS_PREFIX, ConfigType::String, "__", "What the names of added fields begin with."))
            .key(key(
                ADD_HEADERS,
                ConfigType::List,
                "",
                "Fields of the event to add as headers, written like `add.fields`.",
            ))
            .key(key(ADD_HEADERS_PREFIX, ConfigType::String, "__", "What the names of added headers begin with."))
            .key(key(ROUTE_BY_FIELD, ConfigType::String, "", "Known, and without effect, as in Debezium."));
        DeleteHandling::add_keys(def)
    }

    /// From its configuration, prefix stripped.
    ///
    /// # Errors
    /// `Config` if a value is none that its key may have.
    pub(in crate::debezium) fn new(given: &ConfigMap) -> Result<Self> {
        let config = Self::config_def().parse(given).map_err(refused)?;
        let text = |key| config.string(key).unwrap_or_default();
        let is_document = text(ARRAY_ENCODING).eq_ignore_ascii_case("document");
        Ok(Self {
            handling: DeleteHandling::of(given, &config),
            encoding: if is_document { ArrayEncoding::Document } else { ArrayEncoding::Array },
            delimiter: config.boolean(FLATTEN).then(|| text(DELIMITER).to_owned()),
            fields: FieldReference::parse_all(config.list(ADD_FIELDS), text(ADD_FIELDS_PREFIX))?,
            headers: FieldReference::parse_all(config.list(ADD_HEADERS), text(ADD_HEADERS_PREFIX))?,
            schemas: SharedFields::default(),
        })
    }
}

fn is_encoding(value: &ConfigValue) -> std::result::Result<(), String> {
    match value {
        ConfigValue::String(text) if ["array", "document"].iter().any(|known| known.eq_ignore_ascii_case(text)) => {
            Ok(())
        }
        _ => Err("Value must be one of array, document".to_owned()),
    }
}

impl Transformation for ExtractNewDocumentState {
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        if !is_key(&records.key.field) {
            return Ok(Transformed::of(records));
        }
        let is_event = is_envelope(&records.value.field) && is_struct(&records.value);
        let transformed = if is_event { self.transformed(records)? } else { self.not_events(records)? };
        Ok(with_shared_schemas(&mut self.schemas, transformed))
    }
}

fn is_struct(column: &Column) -> bool {
    matches!(column.field.data_type(), DataType::Struct(_))
}

/// Whether keys of this field are those of events.
fn is_key(field: &Field) -> bool {
    let has_name = field.metadata().get(schema::NAME).is_some_and(|name| name.ends_with(".Key"));
    schema::has_schema(field) && has_name && matches!(field.data_type(), DataType::Struct(_))
}

/// What becomes of one row.
struct Row {
    row: u32,
    key: (FieldRef, Bson),
    /// The fields of the document; `None` for a null without a schema.
    document: Option<(Vec<FieldRef>, Bson)>,
    deleted: bool,
}

impl Row {
    fn null(row: usize, key: (FieldRef, Bson)) -> Self {
        Self { row: row as u32, key, document: None, deleted: false }
    }
}

/// Rows of one schema each.
#[derive(Default)]
struct Groups(Vec<Vec<Row>>);

impl Groups {
    fn add(&mut self, row: Row) {
        let fields = |row: &Row| row.document.as_ref().map(|(fields, _)| fields.clone());
        let is_same = |group: &&mut Vec<Row>| group[0].key.0 == row.key.0 && fields(&group[0]) == fields(&row);
        match self.0.iter_mut().find(is_same) {
            Some(group) => group.push(row),
            None => self.0.push(vec![row]),
        }
    }
}

impl ExtractNewDocumentState {
    /// Only tombstones are of concern. All else passes, unless fields of it are wanted as headers.
    fn not_events(&self, mut records: Records) -> Result<Transformed> {
        let ids = Ids::of(&records.key)?;
        let has_fields = is_struct(&records.value) && schema::has_schema(&records.value.field);
        let (mut passing, mut groups, mut done) = (Vec::new(), Groups::default(), Transformed::default());
        for row in 0..records.len() {
            if !records.value.is_null(row) {
                match self.headers.is_empty() || has_fields {
                    true => passing.push(row as u32),
                    false => {
                        let error = class_cast(Error::data("the value is no struct that headers could be taken from"));
                        done.rejected.push(rejected(&records, row, error));
                    }
                }
                continue;
            }
            match ids.key(row) {
                Ok(key) if self.handling.keeps_tombstones => groups.add(Row::null(row, key)),
                Ok(_) => {}
                Err(error) => done.rejected.push(rejected(&records, row, error)),
            }
        }
        done.records.extend(taken(&records, &passing)?);
        records.headers = Some(Arc::new(self.with_tombstones(&records, headers_of(&records))));
        for group in groups.0 {
            self.finish(&records, &group, &[], &mut done)?;
        }
        Ok(done)
    }

    fn transformed(&self, mut records: Records) -> Result<Transformed> {
        let value = records.value.clone();
        let events = value.array.as_struct();
        let mut done = Transformed::default();
        let mut failed: Option<Error> = None;
        if !self.headers.is_empty() {
            match with_event_headers(&records, &self.headers, events)? {
                Ok(headers) => records.headers = Some(Arc::new(self.with_tombstones(&records, headers))),
                Err(error) => failed = Some(error),
            }
        }
        let (texts, ids) = (Texts::of(events)?, Ids::of(&records.key)?);
        let mut groups = Groups::default();
        for row in 0..records.len() {
            let outcome = match &failed {
                Some(error) if !records.value.is_null(row) => Err(error.clone()),
                _ => ids.key(row).and_then(|key| self.row(&records, &texts, row, key)),
            };
            match outcome {
                Ok(None) => {}
                Ok(Some(row)) => groups.add(row),
                Err(error) => done.rejected.push(rejected(&records, row, error)),
            }
        }
        let added = self.added(events)?;
        for group in groups.0 {
            let added = match &group[0].document {
                None => Ok(&[][..]),
                Some((fields, _)) => added.as_deref().map_err(Clone::clone).and_then(|added| {
                    self.no_duplicate(fields, added)?;
                    Ok(added)
                }),
            };
            match added {
                Ok(added) => self.finish(&records, &group, added, &mut done)?,
                Err(error) => {
                    let rows = group.iter().map(|row| rejected(&records, row.row as usize, error.clone()));
                    done.rejected.extend(rows);
                }
            }
        }
        done.rejected.sort_by_key(|rejected| rejected.row);
        Ok(done)
    }

    /// Tombstones tell in the header of `op` that they are a delete.
    fn with_tombstones(&self, records: &Records, mut headers: Headers) -> Headers {
        for reference in self.headers.iter().filter(|reference| reference.field() == "op") {
            let name: Arc<str> = reference.name().into();
            let tombstones = headers.iter_mut().enumerate().filter(|(row, _)| records.value.is_null(*row));
            for (_, headers) in tombstones {
                headers.push(Header::new(Arc::clone(&name), Value::String("d".to_owned())));
            }
        }
        headers
    }

    /// The fields of the events that are added, or what all events fail with.
    fn added(&self, events: &StructArray) -> Result<std::result::Result<Vec<Located>, Error>> {
        let mut added = Vec::with_capacity(self.fields.len());
        for reference in &self.fields {
            match reference.locate(events)? {
                Ok(Some(located)) => added.push(located),
                Ok(None) => return Ok(Err(no_such_field(reference.field()))),
                Err(error) => return Ok(Err(error)),
            }
        }
        Ok(Ok(added))
    }

    /// The names of the fields that come out are all different.
    fn no_duplicate(&self, fields: &[FieldRef], added: &[Located]) -> Result<()> {
        let of_document = match &self.delimiter {
            Some(delimiter) => flat_names(fields, delimiter),
            None => fields.iter().map(|field| field.name().clone()).collect(),
        };
        let deleted = (self.handling.deletes == Deletes::Rewrite).then(|| DELETED.to_owned());
        let added = added.iter().map(|(field, _)| field.name().clone());
        let mut known = HashSet::new();
        let twice = of_document.into_iter().chain(deleted).chain(added).find(|name| !known.insert(name.clone()));
        match twice {
            None => Ok(()),
            Some(name) => {
                let message = format!("Cannot create field because of field name duplication {name}");
                Err(schema_builder_error(message))
            }
        }
    }

    /// `None` for a row that is left out.
    fn row(&self, records: &Records, texts: &Texts, row: usize, key: (FieldRef, Bson)) -> Result<Option<Row>> {
        let at = row as u32;
        if records.value.is_null(row) {
            return Ok(self.handling.keeps_tombstones.then(|| Row::null(row, key)));
        }
        let deleted = texts.op(row) == Some("d");
        if deleted && self.handling.deletes == Deletes::Drop {
            return Ok(None);
        }
        let rewrites = self.handling.deletes == Deletes::Rewrite;
        let members = if deleted && !rewrites { Vec::new() } else { self.members(texts, row, deleted, &key.1)? };
        if members.is_empty() && !rewrites {
            return Ok(Some(Row { row: at, key, document: None, deleted }));
        }
        let fields = fields(&members, &schema_name(&records.value.field), self.encoding)?;
        Ok(Some(Row { row: at, key, document: Some((fields, Bson::Document(members))), deleted }))
    }

    /// The members of the document that a row is about.
    fn members(&self, texts: &Texts, row: usize, deleted: bool, id: &Bson) -> Result<Vec<(String, Bson)>> {
        let state = if deleted { texts.before(row) } else { texts.after(row) };
        Ok(match (state, texts.update(row)) {
            (Some(state), _) => Bson::document(state)?,
            (None, Some(updated)) => {
                let mut members = updated.map(Bson::document).transpose()?.unwrap_or_default();
                if !members.iter().any(|(name, _)| name == ID) {
                    members.push((ID.to_owned(), id.clone()));
                }
                members
            }
            (None, None) => Vec::new(),
        })
    }

    /// The records of rows of one schema.
    fn finish(&self, records: &Records, group: &[Row], added: &[Located], done: &mut Transformed) -> Result<()> {
        let rows = UInt32Array::from_iter_values(group.iter().map(|row| row.row));
        let mut records = records.take(&rows)?;
        let first = &group[0];
        let ids: Vec<Option<&Bson>> = group.iter().map(|row| Some(&row.key.1)).collect();
        let id = (Arc::clone(&first.key.0), array_of(&first.key.0, &ids)?);
        records.key = of_fields(Field::new("key", DataType::Null, false), vec![id], group.len())?;
        records.value = match &first.document {
            None => Column::nulls(group.len()),
            Some((fields, _)) => {
                let name = schema_name(&records.value.field);
                let mut members = self.document_columns(fields, group)?;
                if self.handling.deletes == Deletes::Rewrite {
                    let deleted: BooleanArray = group.iter().map(|row| Some(row.deleted)).collect();
                    members.push((Arc::new(Field::new(DELETED, DataType::Boolean, true)), Arc::new(deleted)));
                }
                for (field, values) in added {
                    members.push((Arc::new(field.clone()), take(values, &rows, None)?));
                }
                let metadata = [(schema::NAME.to_owned(), name)].into_iter().collect();
                of_fields(Field::new("value", DataType::Null, false).with_metadata(metadata), members, group.len())?
            }
        };
        done.records.push(records);
        Ok(())
    }

    fn document_columns(&self, fields: &[FieldRef], group: &[Row]) -> Result<Vec<(FieldRef, ArrayRef)>> {
        let documents: Vec<Option<&Bson>> =
            group.iter().map(|row| row.document.as_ref().map(|(_, document)| document)).collect();
        let root = Field::new("value", DataType::Struct(fields.to_vec().into()), true);
        let array = array_of(&root, &documents)?;
        let members = fields.iter().cloned().zip(array.as_struct().columns().iter().cloned()).collect();
        match &self.delimiter {
            Some(delimiter) => flat(members, delimiter),
            None => Ok(members),
        }
    }
}

fn of_fields(root: Field, members: Vec<(FieldRef, ArrayRef)>, len: usize) -> Result<Column> {
    let (fields, arrays): (Vec<_>, Vec<_>) = members.into_iter().unzip();
    let array = StructArray::try_new_with_length(fields.into(), arrays, None, len)?;
    Ok(Column::new(Arc::new(root.with_data_type(array.data_type().clone())), Arc::new(array)))
}

fn rejected(records: &Records, row: usize, error: Error) -> RejectedRow {
    let row = records.rows.input_row(row);
    RejectedRow { row, stage: Stage::Transformation, class: CLASS.to_owned(), error }
}

/// The name of the schema of documents: that of the envelope, without `.Envelope`.
fn schema_name(envelope: &Field) -> String {
    let name = envelope.metadata().get(schema::NAME).map(String::as_str).unwrap_or_default();
    name.strip_suffix(".Envelope").unwrap_or(name).to_owned()
}

/// The texts that an event has.
struct Texts {
    op: Option<StringArray>,
    after: Option<StringArray>,
    before: Option<StringArray>,
    updates: Option<ArrayRef>,
    updated: Option<StringArray>,
}

impl Texts {
    fn of(events: &StructArray) -> Result<Self> {
        let updates = member(events, "updateDescription", false)?;
        let updates = updates.filter(|updates| matches!(updates.field.data_type(), DataType::Struct(_)));
        let updated = match &updates {
            Some(updates) => text(updates.array.as_struct(), "updatedFields")?,
            None => None,
        };
        Ok(Self {
            op: text(events, "op")?,
            after: text(events, "after")?,
            before: text(events, "before")?,
            updated,
            updates: updates.map(|updates| updates.array),
        })
    }

    fn op(&self, row: usize) -> Option<&str> {
        at(&self.op, row)
    }

    fn after(&self, row: usize) -> Option<&str> {
        at(&self.after, row)
    }

    fn before(&self, row: usize) -> Option<&str> {
        at(&self.before, row)
    }

    /// What an update has changed; `None` if there is no description of it.
    fn update(&self, row: usize) -> Option<Option<&str>> {
        self.updates.as_ref().filter(|updates| updates.is_valid(row)).map(|_| at(&self.updated, row))
    }
}

/// The ids that keys have, as extended JSON.
struct Ids {
    name: String,
    texts: Option<StringArray>,
}

impl Ids {
    fn of(key: &Column) -> Result<Self> {
        let keys = key.array.as_struct();
        let name = keys.fields().first().map(|field| field.name().clone()).unwrap_or_default();
        Ok(Self { texts: text(keys, &name)?, name })
    }

    /// The id of the document, with its field.
    fn key(&self, row: usize) -> Result<(FieldRef, Bson)> {
        let id = Bson::parse(at(&self.texts, row).unwrap_or_default())?;
        Ok((Arc::new(typed_field(&self.name, &id, "null", ArrayEncoding::Array)?), id))
    }
}

fn at(texts: &Option<StringArray>, row: usize) -> Option<&str> {
    texts.as_ref().filter(|texts| texts.is_valid(row)).map(|texts| texts.value(row))
}

fn text(structs: &StructArray, name: &str) -> Result<Option<StringArray>> {
    let member = member(structs, name, false)?.filter(|member| member.field.data_type() == &DataType::Utf8);
    Ok(member.map(|member| member.array.as_string::<i32>().clone()))
}
