//! Arrow IPC files (the "Feather V2" format): the columns as they are in memory.

mod arrow_writer;

pub(crate) use arrow_writer::{ArrowCodec, ArrowFileWriter};
