//! The records of a task that converts by itself: their bytes are what is produced.

use std::sync::Arc;

use arrow::array::{Array, AsArray, BinaryArray};
use arrow::datatypes::DataType;
use volley_api::{Column, Error, Header, RawHeader, Records, Result, Value};

use crate::task::source::produce::record_serializer::SerializedRecords;

/// The records as they are.
///
/// # Errors
/// `Fatal` if they are no bytes: a defect of the task.
pub(crate) fn own_bytes(records: &Records) -> Result<SerializedRecords> {
    let headers = records.headers.as_ref().map(|headers| {
        headers.iter().map(|of_row| of_row.iter().map(raw_header).collect::<Result<Vec<_>>>()).collect::<Result<_>>()
    });
    Ok(SerializedRecords {
        keys: bytes(&records.key, "key")?,
        values: bytes(&records.value, "value")?,
        headers: headers.transpose()?,
        is_rejected: Vec::new(),
        rejected: Vec::new(),
    })
}

/// The bytes of one side.
///
/// # Errors
/// As [`own_bytes`].
fn bytes(column: &Column, side: &str) -> Result<BinaryArray> {
    match column.array.data_type() {
        DataType::Binary => Ok(column.array.as_binary::<i32>().clone()),
        DataType::Null => Ok(BinaryArray::new_null(column.len())),
        other => Err(no_bytes(side, &other.to_string())),
    }
}

/// A header as it is.
///
/// # Errors
/// As [`own_bytes`].
fn raw_header(header: &Header) -> Result<RawHeader> {
    let value = match &header.value {
        Value::Bytes(bytes) => Some(bytes.clone()),
        Value::Null => None,
        other => return Err(no_bytes(&format!("header `{}`", header.name), &format!("{other:?}"))),
    };
    Ok(RawHeader { name: Arc::clone(&header.name), value })
}

fn no_bytes(what: &str, found: &str) -> Error {
    Error::fatal(format!(
        "the task converts by itself, and yet its {what} is {found} instead of bytes; this is a defect of the plug-in"
    ))
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::Field;
    use volley_api::testing::{records, texts};

    use super::*;

    fn messages() -> Records {
        let array = Arc::new(BinaryArray::from(vec![Some(&b"\xff1"[..]), None]));
        let value = Column::new(Arc::new(Field::new("value", DataType::Binary, true)), array);
        let headers = vec![vec![Header::new("a", Value::Bytes(vec![7])), Header::new("b", Value::Null)], Vec::new()];
        Records { key: Column::nulls(2), headers: Some(Arc::new(headers)), ..records("t", value) }
    }

    #[test]
    fn messages_of_a_task_are_produced_as_they_are() {
        let bytes = own_bytes(&messages()).unwrap();
        let headers =
            [RawHeader { name: "a".into(), value: Some(vec![7]) }, RawHeader { name: "b".into(), value: None }];
        assert_eq!(bytes.row(0), Some((None, Some(&b"\xff1"[..]), &headers[..])));
        assert_eq!(bytes.row(1), Some((None, None, &[][..])));
        assert!(!bytes.is_empty() && bytes.rejected.is_empty());
    }

    #[test]
    fn what_is_no_bytes_is_an_error_that_names_it() {
        let text = Records { value: texts(["a", "b"]), ..messages() };
        assert!(own_bytes(&text).err().unwrap().to_string().contains("its value is Utf8"));
        let header = Arc::new(vec![vec![Header::new("a", Value::Int8(1))], Vec::new()]);
        let header = Records { headers: Some(header), ..messages() };
        assert!(own_bytes(&header).err().unwrap().to_string().contains("header `a` is Int8(1)"));
    }
}
