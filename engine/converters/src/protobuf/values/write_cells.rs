//! Fits columns to the fields of a message, before they are written.

use arrow::array::{Array, ArrayRef, AsArray, Decimal128Array, Decimal256Array, Int32Array, Int64Array, StringArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Int32Type, Int64Type, TimeUnit};
use prost_reflect::{Cardinality, FieldDescriptor, Kind, MessageDescriptor, OneofDescriptor, Syntax};
use serde_json::Value;
use volley_api::schema::{DEFAULT, NAME, PARAMETER_PREFIX};
use volley_api::{Column, Error, Result};

use super::scalar_cells::{ScalarCells, scalar_cells};
use super::wire::{Wire, tag_bytes};
use super::write::{FieldWriter, OnNull, RootWriter};
use crate::cell::as_connect_type;
use crate::json::{SchemaReader, decode_message, schema_of};
use crate::protobuf::keys::ProtobufSettings;
use crate::protobuf::mapping::to_connect_schema::{entry_of, ordered};
use crate::protobuf::names::{
    CONNECT_TYPE, DATE_MESSAGE, DECIMAL_MESSAGE, GENERAL_UNION, TIME_MESSAGE, TIMESTAMP_MESSAGE, UNION, WRAPPER,
    field_name, is_scalar_wrapper,
};
use crate::protobuf::schema::meta::Meta;

/// The values of a field, whatever it is.
#[derive(Debug)]
pub(crate) enum Cells {
    Null,
    Scalar(ScalarCells),
    Message(MessageWriter),
    /// A message that stands for its only field.
    Wrapped(Box<FieldWriter>),
    Timestamp(Int64Array),
    Date(Int32Array),
    Time(Int32Array),
    /// With the number of digits.
    Decimal128(Decimal128Array, u32),
    Decimal256(Decimal256Array, u32),
    /// JSON, as a message.
    Json(StringArray, MessageDescriptor),
    /// Items with one tag for all.
    Packed(OffsetBuffer<i32>, Box<FieldWriter>),
    List(OffsetBuffer<i32>, Box<FieldWriter>),
    Map(OffsetBuffer<i32>, Box<FieldWriter>, Box<FieldWriter>),
}

/// Writes the fields of messages.
#[derive(Debug)]
pub(crate) struct MessageWriter {
    pub(crate) fields: Vec<FieldWriter>,
    pub(crate) unions: Vec<UnionWriter>,
}

/// Writes a oneof, which is a struct.
#[derive(Debug)]
pub(crate) struct UnionWriter {
    pub(crate) fields: Vec<FieldWriter>,
    pub(crate) nulls: Option<NullBuffer>,
}

/// What a field's values are written by.
#[derive(Clone, Copy, Debug)]
struct Fitting {
    settings: ProtobufSettings,
    /// Messages around this one.
    depth: usize,
}

/// Messages may be nested as deep as this.
const MAX_DEPTH: usize = 100;

/// A writer of messages, which are the values of a column.
///
/// # Errors
/// `Data` if they are not.
pub(crate) fn root_writer(
    message: &MessageDescriptor,
    column: &Column,
    settings: ProtobufSettings,
) -> Result<RootWriter> {
    let fitting = Fitting { settings, depth: 0 };
    let cells = fitting.message_cells(message, &column.array, settings.raw_wrappers)?;
    Ok(RootWriter(FieldWriter {
        tag: Vec::new(),
        end: Vec::new(),
        cells,
        nulls: None,
        writes_zero: true,
        on_null: OnNull::Bytes(Vec::new()),
        name: message.name().to_owned(),
    }))
}

impl Fitting {
    /// The values of a message.
    fn message_cells(mut self, message: &MessageDescriptor, array: &ArrayRef, unwraps: bool) -> Result<Cells> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Error::data(format!("messages are nested deeper than {MAX_DEPTH} levels")));
        }
        let int32 =
            |array: &ArrayRef| Ok::<_, Error>(cast(array, &DataType::Int32)?.as_primitive::<Int32Type>().clone());
        Ok(match (message.full_name(), array.data_type()) {
            (_, DataType::Null) => Cells::Null,
            (TIMESTAMP_MESSAGE, DataType::Timestamp(TimeUnit::Millisecond, _)) => {
                Cells::Timestamp(cast(array, &DataType::Int64)?.as_primitive::<Int64Type>().clone())
            }
            (DATE_MESSAGE, DataType::Date32) => Cells::Date(int32(array)?),
            (TIME_MESSAGE, DataType::Time32(TimeUnit::Millisecond)) => Cells::Time(int32(array)?),
            (DECIMAL_MESSAGE, DataType::Decimal128(precision, _)) => {
                Cells::Decimal128(array.as_primitive().clone(), u32::from(*precision))
            }
            (DECIMAL_MESSAGE, DataType::Decimal256(precision, _)) => {
                Cells::Decimal256(array.as_primitive().clone(), u32::from(*precision))
            }
            (name, data_type) => {
                let is_marked = Meta::of_message(message).param(CONNECT_TYPE) == Some(WRAPPER);
                let is_struct = matches!(data_type, DataType::Struct(_));
                let only = message.get_field_by_name("value").filter(|_| message.fields().len() == 1);
                let wrapped = only.filter(|_| is_marked || (!is_struct && (unwraps || is_scalar_wrapper(name))));
                match (wrapped, data_type) {
                    (Some(field), _) => {
                        let own = Field::new("value", data_type.clone(), true);
                        Cells::Wrapped(Box::new(self.field_writer(
                            &field,
                            &own,
                            array,
                            Some(field.supports_presence()),
                        )?))
                    }
                    (None, DataType::Struct(_)) => Cells::Message(self.fields_of(message, array)?),
                    (None, DataType::Utf8) => Cells::Json(array.as_string::<i32>().clone(), message.clone()),
                    (None, other) => match as_connect_type(array, other) {
                        Ok(array) => self.message_cells(message, &array, unwraps)?,
                        Err(_) => return Err(misfit(message.full_name(), array)),
                    },
                }
            }
        })
    }

    /// The fields of a message, each with the column of its name.
    fn fields_of(self, message: &MessageDescriptor, array: &ArrayRef) -> Result<MessageWriter> {
        let mut writer = MessageWriter { fields: Vec::new(), unions: Vec::new() };
        let oneofs: Vec<_> = message.oneofs().filter(|oneof| !oneof.is_synthetic()).collect();
        let mut flattened = Vec::new();
        for (index, oneof) in oneofs.iter().enumerate() {
            match self.union(oneof, index, array)? {
                Some(union) => writer.unions.push(union),
                None => flattened.push(oneof.clone()),
            }
        }
        for oneof in &flattened {
            let columns = ordered(oneof.fields()).into_iter().filter_map(|field| {
                let (place, own) = self.column_of(&field, array)?;
                Some(self.field_writer(
                    &field,
                    &own.clone().with_nullable(true),
                    array.as_struct().column(place),
                    Some(true),
                ))
            });
            let fields = columns.collect::<Result<Vec<_>>>()?;
            if !fields.is_empty() {
                writer.unions.push(UnionWriter { fields, nulls: None });
            }
        }
        let is_plain = |field: &FieldDescriptor| field.containing_oneof().is_none_or(|oneof| oneof.is_synthetic());
        for field in message.fields().filter(is_plain) {
            match self.column_of(&field, array) {
                Some((place, own)) => {
                    writer.fields.push(self.field_writer(&field, own, array.as_struct().column(place), None)?);
                }
                None if field.cardinality() == Cardinality::Required => {
                    let name = field.name();
                    return Err(Error::data(format!("the schema requires a field `{name}`, which the record has not")));
                }
                None => {}
            }
        }
        Ok(writer)
    }

    fn column_of<'a>(&self, field: &FieldDescriptor, array: &'a ArrayRef) -> Option<(usize, &'a Field)> {
        let fields = array.as_struct().fields();
        let place = fields.iter().position(|own| self.settings.name_is(own.name(), field_name(field)))?;
        Some((place, fields[place].as_ref()))
    }

    /// The writer of a oneof, if it is a struct in the data.
    fn union(self, oneof: &OneofDescriptor, index: usize, array: &ArrayRef) -> Result<Option<UnionWriter>> {
        let structs = array.as_struct();
        let name = oneof.name();
        let (numbered, full) = (format!("{name}_{index}"), format!("{UNION}.{name}"));
        let general = format!("{PARAMETER_PREFIX}{GENERAL_UNION}");
        let is_it = |field: &Field| {
            let metadata = field.metadata();
            let is_union =
                metadata.get(NAME).is_some_and(|given| given.starts_with(UNION)) || metadata.contains_key(&general);
            let is_named = metadata.get(NAME) == Some(&full)
                || metadata.get(&general).is_some_and(|given| given == name)
                || self.settings.name_is(field.name(), name)
                || self.settings.name_is(field.name(), &numbered);
            is_union && is_named && matches!(field.data_type(), DataType::Struct(_))
        };
        let Some(place) = structs.fields().iter().position(|field| is_it(field)) else { return Ok(None) };
        let column = structs.column(place);
        let branches = ordered(oneof.fields()).into_iter().filter_map(|field| {
            let (place, own) = self.column_of(&field, column)?;
            Some(self.field_writer(
                &field,
                &own.clone().with_nullable(true),
                column.as_struct().column(place),
                Some(true),
            ))
        });
        Ok(Some(UnionWriter { fields: branches.collect::<Result<_>>()?, nulls: column.nulls().cloned() }))
    }

    /// The writer of a field. `writes_zero`: whether zeros are written, if the schema does not say it.
    fn field_writer(
        self,
        field: &FieldDescriptor,
        own: &Field,
        array: &ArrayRef,
        writes_zero: Option<bool>,
    ) -> Result<FieldWriter> {
        let cells = self.cells(field, array).map_err(|error| within(field.name(), error))?;
        let wire = match &cells {
            Cells::Scalar(cells) => cells.wire(),
            Cells::List(_, items) => match &items.cells {
                Cells::Scalar(cells) => cells.wire(),
                _ => Wire::Sized,
            },
            _ => Wire::Sized,
        };
        let is_group = field.is_group();
        let (tag, end) = match is_group {
            true => (tag_bytes(field.number(), Wire::GroupStart), tag_bytes(field.number(), Wire::GroupEnd)),
            false => (tag_bytes(field.number(), wire), Vec::new()),
        };
        let is_required = field.cardinality() == Cardinality::Required;
        let on_null = match self.default_of(field, own)? {
            Some(default) => OnNull::Bytes(default),
            None if own.is_nullable() && !is_required => OnNull::Bytes(Vec::new()),
            None => OnNull::Refuse(format!("null for required field `{}`, which has no default", own.name())),
        };
        Ok(FieldWriter {
            tag,
            end,
            cells,
            nulls: array.nulls().cloned(),
            writes_zero: writes_zero.unwrap_or_else(|| field.supports_presence()),
            on_null,
            name: own.name().clone(),
        })
    }

    fn cells(self, field: &FieldDescriptor, array: &ArrayRef) -> Result<Cells> {
        let entry = match field.kind() {
            Kind::Message(entry) if field.is_list() || field.is_map() => entry_of(&entry, field.is_map()),
            _ => None,
        };
        match (entry, array.data_type()) {
            (_, DataType::Null) => Ok(Cells::Null),
            (Some((key, value)), DataType::Map(..)) => {
                let map = array.as_map();
                let (_, value_field) = map.entries_fields();
                let key_field = Field::new("key", map.keys().data_type().clone(), false);
                let key = self.field_writer(&key, &key_field, map.keys(), Some(true))?;
                let value_field = value_field.as_ref().clone().with_nullable(true);
                let value = self.field_writer(&value, &value_field, map.values(), Some(true))?;
                Ok(Cells::Map(map.offsets().clone(), Box::new(key), Box::new(value)))
            }
            (None, DataType::List(element)) if field.is_list() => {
                let list = array.as_list::<i32>();
                let items = self.item_writer(field, element, list.values())?;
                let is_packed = is_packed(field) && matches!(&items.cells, Cells::Scalar(_));
                let (offsets, items) = (list.offsets().clone(), Box::new(items));
                Ok(if is_packed { Cells::Packed(offsets, items) } else { Cells::List(offsets, items) })
            }
            (Some(_), other) => match as_connect_type(array, other) {
                Ok(array) => self.cells(field, &array),
                Err(_) => Err(misfit("a map", array)),
            },
            (None, other) if field.is_list() => match as_connect_type(array, other) {
                Ok(array) => self.cells(field, &array),
                Err(_) => Err(misfit("an array", array)),
            },
            (None, _) => self.value_cells(field, array),
        }
    }

    fn value_cells(self, field: &FieldDescriptor, array: &ArrayRef) -> Result<Cells> {
        match field.kind() {
            Kind::Message(message) => self.message_cells(&message, array, false),
            kind => match scalar_cells(&kind, array)? {
                Some(cells) => Ok(Cells::Scalar(cells)),
                None => Err(misfit(&format!("of type {kind:?}").to_lowercase(), array)),
            },
        }
    }

    /// The writer of an array's items.
    fn item_writer(self, field: &FieldDescriptor, own: &Field, array: &ArrayRef) -> Result<FieldWriter> {
        let cells = if array.data_type() == &DataType::Null { Cells::Null } else { self.value_cells(field, array)? };
        let wire = match &cells {
            Cells::Scalar(cells) => cells.wire(),
            _ => Wire::Sized,
        };
        let (tag, end) = match field.is_group() {
            true => (tag_bytes(field.number(), Wire::GroupStart), tag_bytes(field.number(), Wire::GroupEnd)),
            false => (tag_bytes(field.number(), wire), Vec::new()),
        };
        let on_null = OnNull::Bytes(Vec::new());
        Ok(FieldWriter {
            tag,
            end,
            cells,
            nulls: array.nulls().cloned(),
            writes_zero: true,
            on_null,
            name: own.name().clone(),
        })
    }

    /// The default of a field, as it is written for a null.
    fn default_of(self, field: &FieldDescriptor, own: &Field) -> Result<Option<Vec<u8>>> {
        if self.settings.null_over_default && own.is_nullable() {
            return Ok(None);
        }
        let Some(default) = own.metadata().get(DEFAULT) else { return Ok(None) };
        let schema: Value = schema_of(own)?;
        let unread = |reason: String| Error::data(format!("the default of field `{}`: {reason}", own.name()));
        let mut node = SchemaReader { replace_null_with_default: false }.root(&schema).map_err(unread)?;
        decode_message(&mut node, default.as_bytes(), 0).map_err(|failure| unread(failure.to_string()))?;
        let array = node.finish(1)?;
        let mut metadata = own.metadata().clone();
        metadata.remove(DEFAULT);
        let bare = Field::new(own.name(), array.data_type().clone(), true).with_metadata(metadata);
        let writer = self.field_writer(field, &bare, &array, None)?;
        let mut out = Vec::new();
        writer.write_field(0, &mut out).map_err(unread)?;
        Ok(Some(out))
    }
}

/// Whether the items of an array stand together, if they can.
fn is_packed(field: &FieldDescriptor) -> bool {
    let given = field.field_descriptor_proto().options.as_ref().and_then(|options| options.packed);
    let is_packable = !matches!(field.kind(), Kind::String | Kind::Bytes | Kind::Message(_));
    is_packable && given.unwrap_or(field.parent_file().syntax() != Syntax::Proto2)
}

fn within(field: &str, error: Error) -> Error {
    Error::data(format!("field `{field}`: {error}"))
}

fn misfit(what: &str, array: &ArrayRef) -> Error {
    Error::data(format!("values of type {} are not {what}, as the schema says", array.data_type()))
}
