//! Avro object container files.

mod avro_file_rows;
mod avro_file_writer;

pub(crate) use avro_file_rows::AvroFileRows;
pub(crate) use avro_file_writer::AvroFileWriter;
