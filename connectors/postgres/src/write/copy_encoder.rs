//! Rows as a binary COPY: see `copy/copy_decoder.rs`, which reads them.

use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use chrono_tz::Tz;
use volley_api::{Error, Result};
use volley_jdbc::WriteColumn;

use super::column_encoder::ColumnEncoder;
use super::target_type::TargetType;

const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const TRAILER: i16 = -1;
/// Bytes that are sent together: as many as a processor's cache holds well.
const CHUNK_BYTES: usize = 256 << 10;
/// What PostgreSQL has room for in a row, and in a value: a limit of its memory, less some for itself.
const ROW_BYTES: usize = (1 << 30) - (1 << 16);

/// All rows, each column in its type, as pieces of a COPY.
///
/// The pieces are made one after the other. Each is `Data`, naming the column and the type, for a value that has no place
/// there. Then there is no further one.
///
/// # Errors
/// `Config` if there are too many columns.
pub(super) fn encoded_chunks<'a>(
    rows: &'a RecordBatch,
    columns: &'a [WriteColumn],
    types: &'a [TargetType],
    zone: Tz,
) -> Result<impl Iterator<Item = Result<Bytes>> + 'a> {
    let count = i16::try_from(types.len()).map_err(|_| Error::config("a table cannot have so many columns"))?;
    let encoders: Vec<_> =
        types.iter().zip(rows.columns()).map(|(target, array)| ColumnEncoder::new(target, array, zone)).collect();
    let mut next = 0;
    let mut is_done = false;
    let mut chunk = move || {
        let mut out = Vec::with_capacity(CHUNK_BYTES + CHUNK_BYTES / 8);
        if next == 0 {
            out.extend_from_slice(HEADER);
        }
        // row by row, as COPY has them
        while next < rows.num_rows() && out.len() < CHUNK_BYTES {
            out.extend_from_slice(&count.to_be_bytes());
            let (start, mut largest) = (out.len(), (0, 0));
            for (place, encoder) in encoders.iter().enumerate() {
                let before = out.len();
                encoder.append(next, &mut out).map_err(|what| {
                    let column = &columns[place].target;
                    Error::data(format!("column {} of type {} takes no {what}", column.name, column.declared))
                })?;
                largest = largest.max((out.len() - before, place));
            }
            check_size(out.len() - start, ROW_BYTES, largest, columns)?;
            next += 1;
        }
        let is_last = next == rows.num_rows();
        if is_last {
            out.extend_from_slice(&TRAILER.to_be_bytes());
        }
        Ok((Bytes::from(out), is_last))
    };
    Ok(std::iter::from_fn(move || {
        if is_done {
            return None;
        }
        let made = chunk();
        is_done = made.as_ref().map_or(true, |(_, is_last)| *is_last);
        Some(made.map(|(bytes, _)| bytes))
    }))
}

/// `largest`: of the row's values the bytes and the place of the largest one.
fn check_size(bytes: usize, limit: usize, largest: (usize, usize), columns: &[WriteColumn]) -> Result<()> {
    if bytes <= limit {
        return Ok(());
    }
    let (value, place) = largest;
    let name = columns.get(place).map(|column| column.target.name.as_str()).unwrap_or_default();
    Err(Error::data(format!(
        "a row of {bytes} bytes is larger than the {limit} that PostgreSQL has room for; its largest value is that of column \
         {name}, with {value} bytes"
    )))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, StringArray};
    use volley_api::ErrorKind;
    use volley_jdbc::TargetColumn;

    use super::*;

    fn chunks(texts: &[String]) -> Vec<Result<Bytes>> {
        let array: ArrayRef = Arc::new(StringArray::from_iter_values(texts));
        let rows = RecordBatch::try_from_iter([("a", array)]).unwrap();
        let target = TargetColumn { name: "a".to_owned(), declared: "text".to_owned(), ..TargetColumn::default() };
        let columns = [WriteColumn { target, is_key: false }];
        encoded_chunks(&rows, &columns, &[TargetType::Text], Tz::UTC).unwrap().collect()
    }

    #[test]
    fn chunks_are_one_copy_whatever_their_number() {
        for count in [0, 1, 2, 3_000] {
            let texts: Vec<_> = (0..count).map(|number| "x".repeat(number % 1_000)).collect();
            let mut expected = HEADER.to_vec();
            for text in &texts {
                expected.extend([0, 1]);
                expected.extend((text.len() as i32).to_be_bytes());
                expected.extend(text.as_bytes());
            }
            expected.extend(TRAILER.to_be_bytes());
            let found = chunks(&texts);
            assert_eq!(found.len(), expected.len().div_ceil(CHUNK_BYTES).max(1), "{count}");
            let found: Vec<u8> = found.into_iter().flat_map(|chunk| chunk.unwrap()).collect();
            assert!(found == expected, "{count}");
        }
    }

    #[test]
    fn nothing_comes_behind_a_value_that_has_no_place() {
        let mut texts = vec!["x".repeat(1_000); 1_000];
        texts[700] = "\0".to_owned();
        let found = chunks(&texts);
        let (last, before) = found.split_last().unwrap();
        assert!(last.as_ref().unwrap_err().to_string().contains("column a of type text"), "{last:?}");
        assert!(before.len() == 2 && before.iter().all(Result::is_ok));
    }

    #[test]
    fn a_row_that_is_too_large_names_its_size_and_its_largest_column() {
        let target = TargetColumn { name: "note".to_owned(), ..TargetColumn::default() };
        let columns = [WriteColumn { target, is_key: false }];
        assert!(check_size(10, 10, (9, 0), &columns).is_ok());
        let error = check_size(11, 10, (9, 0), &columns).unwrap_err();
        let text = error.to_string();
        assert_eq!(error.kind(), ErrorKind::Data);
        assert!(text.contains("11 bytes") && text.contains("column note, with 9 bytes"), "{text}");
    }
}
