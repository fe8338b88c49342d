//! The rows of a binary COPY.
//!
//! A signature, flags and an extension once; then of each row the number of its values, and of each value its length
//! and its bytes (length -1: null); at the end -1 in place of a number of values.

use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use volley_api::{Error, Result};

use super::column_decoder::ColumnDecoder;
use crate::column_plan::ColumnPlan;

const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
/// Of the signature, the flags and the length of the extension.
const HEADER: usize = SIGNATURE.len() + 8;
const TRAILER: i16 = -1;

/// Makes batches of the messages of a COPY.
#[derive(Debug)]
pub(crate) struct CopyDecoder {
    schema: SchemaRef,
    columns: Vec<ColumnDecoder>,
    batch_rows: usize,
    batch_bytes: usize,
    rows: usize,
    bytes: usize,
    /// What has come of a row that is not complete.
    rest: Vec<u8>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Header,
    Rows,
    End,
}

impl CopyDecoder {
    /// For a result of these columns; a batch ends with the row that reaches `batch_rows` or `batch_bytes`.
    pub(crate) fn new(plans: &[ColumnPlan], batch_rows: usize, batch_bytes: usize) -> Self {
        let fields: Vec<_> = plans.iter().map(|plan| plan.column.field.clone().with_nullable(true)).collect();
        Self {
            schema: Arc::new(Schema::new(fields)),
            columns: plans.iter().map(|plan| ColumnDecoder::new(&plan.column_type.value)).collect(),
            batch_rows,
            batch_bytes,
            rows: 0,
            bytes: 0,
            rest: Vec::new(),
            state: State::Header,
        }
    }

    /// Takes a message. The server sends a row in each, but does not have to.
    pub(crate) fn append(&mut self, message: &[u8]) -> Result<()> {
        if self.rest.is_empty() {
            let taken = self.take_rows(message)?;
            self.rest.extend_from_slice(&message[taken..]);
            return Ok(());
        }
        let mut rest = std::mem::take(&mut self.rest);
        rest.extend_from_slice(message);
        let taken = self.take_rows(&rest)?;
        rest.drain(..taken);
        self.rest = rest;
        Ok(())
    }

    /// Whether a batch is complete.
    pub(crate) fn is_full(&self) -> bool {
        self.rows >= self.batch_rows || self.bytes >= self.batch_bytes
    }

    /// Whether there is no row.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The rows so far.
    pub(crate) fn take(&mut self) -> Result<RecordBatch> {
        let columns = self.columns.iter_mut().map(ColumnDecoder::finish).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        (self.rows, self.bytes) = (0, 0);
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?)
    }

    /// Checks that nothing is missing, when no more messages come.
    pub(crate) fn check_end(&self) -> Result<()> {
        match self.state {
            State::End => Ok(()),
            State::Header | State::Rows => Err(Error::retriable("PostgreSQL has ended its answer in the middle")),
        }
    }

    /// Takes all complete rows; how many bytes they have.
    fn take_rows(&mut self, bytes: &[u8]) -> Result<usize> {
        let mut taken = 0;
        loop {
            let rest = &bytes[taken..];
            let step = match self.state {
                State::End => return Ok(bytes.len()),
                State::Header => self.take_header(rest)?,
                State::Rows => self.take_row(rest)?,
            };
            match step {
                Some(length) => taken += length,
                None => return Ok(taken),
            }
        }
    }

    fn take_header(&mut self, bytes: &[u8]) -> Result<Option<usize>> {
        let Some(header) = bytes.get(..HEADER) else { return Ok(None) };
        if !header.starts_with(SIGNATURE) {
            return Err(Error::fatal("the server's answer is no binary COPY of PostgreSQL"));
        }
        let extension = i32_at(header, HEADER - 4).and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
        if bytes.len() < HEADER + extension {
            return Ok(None);
        }
        self.state = State::Rows;
        Ok(Some(HEADER + extension))
    }

    /// Takes a row if it is complete.
    fn take_row(&mut self, bytes: &[u8]) -> Result<Option<usize>> {
        let Some(count) = bytes.get(..2).map(|two| i16::from_be_bytes([two[0], two[1]])) else { return Ok(None) };
        if count == TRAILER {
            self.state = State::End;
            return Ok(Some(2));
        }
        if usize::try_from(count).ok() != Some(self.columns.len()) {
            return Err(Error::fatal(format!(
                "the server has sent a row of {count} values in place of {}",
                self.columns.len()
            )));
        }
        let Some(length) = row_length(bytes, self.columns.len()) else { return Ok(None) };
        let mut place = 2;
        for (index, column) in self.columns.iter_mut().enumerate() {
            let value = match i32_at(bytes, place).and_then(|length| usize::try_from(length).ok()) {
                None => None,
                Some(length) => bytes.get(place + 4..place + 4 + length),
            };
            place += 4 + value.map_or(0, <[u8]>::len);
            column.append(value).map_err(|what| {
                let name = self.schema.field(index).name();
                Error::data(format!("column `{name}` has {what}"))
            })?;
        }
        self.rows += 1;
        self.bytes += length;
        Ok(Some(length))
    }
}

/// The bytes of a row, if all of them are there.
fn row_length(bytes: &[u8], columns: usize) -> Option<usize> {
    let mut place = 2;
    for _ in 0..columns {
        place += 4 + usize::try_from(i32_at(bytes, place)?).unwrap_or(0);
    }
    (bytes.len() >= place).then_some(place)
}

fn i32_at(bytes: &[u8], place: usize) -> Option<i32> {
    let four = bytes.get(place..place + 4)?;
    Some(i32::from_be_bytes([four[0], four[1], four[2], four[3]]))
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray};
    use arrow::datatypes::{Field, Int32Type};
    use tokio_postgres::types::Type;
    use volley_jdbc::{Number, ResultColumn};

    use super::*;
    use crate::value_type::ColumnType;

    fn decoder(batch_rows: usize) -> CopyDecoder {
        let plan = |name: &str, type_: &Type| {
            let column_type = ColumnType::of(type_, -1);
            let field = Field::new(name, column_type.value.data_type(), true);
            let column = ResultColumn {
                field,
                type_name: String::new(),
                number: Number::No,
                has_days: false,
                is_left_out_by_java: false,
            };
            ColumnPlan { column, column_type }
        };
        CopyDecoder::new(&[plan("id", &Type::INT4), plan("name", &Type::TEXT)], batch_rows, usize::MAX)
    }

    fn copy(rows: &[(i32, Option<&str>)]) -> Vec<u8> {
        let mut bytes = [SIGNATURE, &[0; 4], &3_i32.to_be_bytes(), b"ext"].concat();
        for (id, name) in rows {
            bytes.extend([0, 2, 0, 0, 0, 4]);
            bytes.extend(id.to_be_bytes());
            bytes.extend(name.map_or(-1, |name| name.len() as i32).to_be_bytes());
            bytes.extend(name.unwrap_or_default().as_bytes());
        }
        bytes.extend(TRAILER.to_be_bytes());
        bytes
    }

    #[test]
    fn rows_are_the_same_however_they_are_cut_into_messages() {
        let bytes = copy(&[(1, Some("one")), (2, None), (3, Some(""))]);
        for size in 1..=bytes.len() {
            let mut decoder = decoder(10);
            for message in bytes.chunks(size) {
                decoder.append(message).unwrap();
            }
            decoder.check_end().unwrap();
            let rows = decoder.take().unwrap();
            assert_eq!(rows.column(0).as_primitive::<Int32Type>().values(), &[1, 2, 3]);
            let names = rows.column(1).as_string::<i32>();
            assert_eq!((names.value(0), names.is_null(1), names.value(2)), ("one", true, ""));
            assert!(decoder.is_empty());
        }
    }

    #[test]
    fn an_answer_that_is_cut_off_or_wrong_is_no_end() {
        let bytes = copy(&[(1, Some("one"))]);
        for length in 0..bytes.len() - 1 {
            let mut decoder = decoder(10);
            decoder.append(&bytes[..length]).unwrap();
            assert!(decoder.check_end().unwrap_err().is_retriable());
        }
        assert!(decoder(10).append(&[b'x'; 40]).is_err());
        let mut short = decoder(10);
        short.append(&copy(&[])[..HEADER + 3]).unwrap();
        assert!(short.append(&[0, 1]).is_err());
    }

    #[test]
    fn a_batch_is_full_with_its_last_row_and_a_bad_value_names_its_column() {
        let mut decoder = decoder(1);
        decoder.append(&copy(&[])[..HEADER + 3]).unwrap();
        assert!(!decoder.is_full());
        decoder.append(&[0, 2, 0, 0, 0, 4, 0, 0, 0, 7, 255, 255, 255, 255]).unwrap();
        assert!(decoder.is_full());
        let error = decoder.append(&[0, 2, 0, 0, 0, 4, 0, 0, 0, 7, 0, 0, 0, 1, 255]).unwrap_err();
        assert!(error.to_string().contains("`name`"), "{error}");
    }
}
