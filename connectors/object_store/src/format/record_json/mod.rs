//! Parts of records as objects of JSON, in lines or in an array, as Aiven's sinks write them.

mod header_texts;
mod iso_instant;
mod part_texts;
mod record_json_rows;

pub(crate) use record_json_rows::RecordJsonRows;
