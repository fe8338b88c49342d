//! Finds a common type for several schemaless columns: the one that a converter would have inferred from all their
//! values.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, StructArray, new_null_array};
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use volley_api::schema::without_schema;
use volley_api::{Column, ConfigMap, Error, Result};

use super::inferred::{Decode, Inference, Messages};
use crate::json::config::JsonConfig;
use crate::json::encode::Encoder;

/// A column of one part; `None` if the part does not have it.
type Piece = Option<(FieldRef, ArrayRef)>;

/// The same columns with one common type. They MUST have no Connect schema.
///
/// # Errors
/// None caused by values.
pub fn same_type(columns: Vec<Column>) -> Result<Vec<Column>> {
    let Some(first) = columns.first() else { return Ok(columns) };
    if columns.iter().all(|column| column.field == first.field) {
        return Ok(columns);
    }
    let lengths: Vec<usize> = columns.iter().map(Column::len).collect();
    let pieces = columns.into_iter().map(|column| Some((column.field, column.array))).collect();
    let (field, arrays) = unified(pieces, &lengths)?;
    Ok(arrays.into_iter().map(|array| Column::new(Arc::clone(&field), array)).collect())
}

/// One field for all pieces, and the array of each part.
fn unified(pieces: Vec<Piece>, lengths: &[usize]) -> Result<(FieldRef, Vec<ArrayRef>)> {
    let typed: Vec<&FieldRef> =
        pieces.iter().flatten().map(|(field, _)| field).filter(|field| field.data_type() != &DataType::Null).collect();
    let any = pieces.iter().flatten().map(|(field, _)| field).next();
    let Some(model) = typed.first().copied().or(any) else {
        return Err(Error::fatal("there is no column to take a type from"));
    };
    let model = Arc::clone(model);
    if typed.iter().all(|field| field.data_type() == model.data_type() && field.metadata() == model.metadata()) {
        let field = Arc::new(model.as_ref().clone().with_nullable(true));
        let arrays = pieces.into_iter().zip(lengths).map(|(piece, len)| match piece {
            Some((field, array)) if field.data_type() == model.data_type() => array,
            _ => new_null_array(model.data_type(), *len),
        });
        return Ok((field, arrays.collect()));
    }
    if typed.iter().all(|field| matches!(field.data_type(), DataType::Struct(_))) {
        return unified_structs(&model, pieces, lengths);
    }
    inferred(&model, pieces, lengths)
}

fn unified_structs(model: &FieldRef, pieces: Vec<Piece>, lengths: &[usize]) -> Result<(FieldRef, Vec<ArrayRef>)> {
    let mut names: Vec<String> = Vec::new();
    for (field, _) in pieces.iter().flatten() {
        if let DataType::Struct(children) = field.data_type() {
            for child in children {
                if !names.contains(child.name()) {
                    names.push(child.name().clone());
                }
            }
        }
    }
    let mut fields = Vec::with_capacity(names.len());
    let mut columns: Vec<Vec<ArrayRef>> = pieces.iter().map(|_| Vec::with_capacity(names.len())).collect();
    for name in &names {
        let children = pieces.iter().map(|piece| child_of(piece.as_ref(), name)).collect();
        let (field, arrays) = unified(children, lengths)?;
        fields.push(field);
        columns.iter_mut().zip(arrays).for_each(|(columns, array)| columns.push(array));
    }
    let fields = Fields::from(fields);
    let field = model.as_ref().clone().with_data_type(DataType::Struct(fields.clone())).with_nullable(true);
    let arrays = pieces.iter().zip(columns).zip(lengths).map(|((piece, columns), len)| {
        let nulls = match piece {
            Some((_, array)) if array.data_type() != &DataType::Null => array.nulls().cloned(),
            _ => return Ok(new_null_array(&DataType::Struct(fields.clone()), *len)),
        };
        Ok(Arc::new(StructArray::try_new_with_length(fields.clone(), columns, nulls, *len)?) as ArrayRef)
    });
    Ok((Arc::new(field), arrays.collect::<Result<_>>()?))
}

fn child_of(piece: Option<&(FieldRef, ArrayRef)>, name: &str) -> Piece {
    let (field, array) = piece?;
    let DataType::Struct(children) = field.data_type() else { return None };
    let (index, child) = children.find(name)?;
    Some((Arc::clone(child), Arc::clone(array.as_struct().column(index))))
}

/// For different types: writes the values as JSON, and reads them again together.
fn inferred(model: &FieldRef, pieces: Vec<Piece>, lengths: &[usize]) -> Result<(FieldRef, Vec<ArrayRef>)> {
    let plain = ConfigMap::from_iter([("schemas.enable".to_owned(), "false".to_owned())]);
    let mut encoder = Encoder::new(&JsonConfig::parse(&plain)?);
    let mut texts = Vec::new();
    for (piece, len) in pieces.into_iter().zip(lengths) {
        texts.push(match piece {
            Some((field, array)) => {
                let field = Arc::new(without_schema(field.as_ref().clone()));
                let mut refused = None;
                let texts = encoder.encode(&Column::new(field, array), |_, error| refused = Some(error))?;
                match refused {
                    Some(error) => return Err(error),
                    None => texts,
                }
            }
            None => BinaryArray::new_null(*len),
        });
    }
    let messages: Vec<Option<&[u8]>> = texts.iter().flat_map(|texts| texts.iter()).collect();
    let decode = Inference::new(&[]).decode(&Messages { len: messages.len(), utf8: true, get: |row| messages[row] })?;
    let Decode { column, rejected } = decode;
    if let Some((_, failure)) = rejected.into_iter().next() {
        return Err(Error::fatal(format!("could not read values as JSON that were written as such: {failure}")));
    }
    let mut metadata = model.metadata().clone();
    metadata.retain(|key, _| key == volley_api::schema::HAS_SCHEMA);
    metadata
        .extend(column.field.metadata().clone().into_iter().filter(|(key, _)| key != volley_api::schema::HAS_SCHEMA));
    let field = Field::new(model.name(), column.field.data_type().clone(), true).with_metadata(metadata);
    let mut start = 0;
    let arrays = lengths.iter().map(|len| {
        start += len;
        column.array.slice(start - len, *len)
    });
    Ok((Arc::new(field), arrays.collect()))
}
