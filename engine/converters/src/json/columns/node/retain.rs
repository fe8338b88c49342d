//! Takes rows out of columns during construction: for maps in which a key stands twice.

use super::{Cells, Node};
use crate::json::columns::buffers::retain_bits;

impl Node {
    /// Of the rows from `start` on, keeps those for which `keep` is true; it MUST have an entry for each.
    #[cold]
    pub(crate) fn retain(&mut self, start: usize, keep: &[bool]) {
        // the fields of a struct may have fewer rows: the missing ones are null
        self.align(start + keep.len());
        self.validity.retain(start, keep);
        self.len = start + keep.iter().filter(|keep| **keep).count();
        match &mut self.cells {
            Cells::Untyped => {}
            Cells::Boolean(bits) => retain_bits(bits, start, keep),
            Cells::Int8(values) => retain(values, start, keep),
            Cells::Int16(values) => retain(values, start, keep),
            Cells::Int32(values) | Cells::Date { values, .. } | Cells::Time(values) => retain(values, start, keep),
            Cells::Int64 { values, .. } | Cells::Timestamp { values, .. } => retain(values, start, keep),
            Cells::Float32(values) => retain(values, start, keep),
            Cells::Float64(values) => retain(values, start, keep),
            Cells::Text(bytes) | Cells::Json(bytes) | Cells::Binary(bytes) => bytes.retain(start, keep),
            Cells::Decimal128 { values, .. } => retain(values, start, keep),
            Cells::Decimal256 { values, .. } => retain(values, start, keep),
            Cells::List { ends, element } => {
                let (first, kept) = ends.retain(start, keep);
                element.retain(first, &kept);
            }
            Cells::Map { ends, key, value } => {
                let (first, kept) = ends.retain(start, keep);
                key.retain(first, &kept);
                value.retain(first, &kept);
            }
            Cells::Struct(cells) => cells.members.iter_mut().for_each(|member| member.node.retain(start, keep)),
        }
    }
}

fn retain<T: Copy>(values: &mut Vec<T>, start: usize, keep: &[bool]) {
    let mut write = start;
    for (keep, read) in keep.iter().zip(start..) {
        if *keep {
            values[write] = values[read];
            write += 1;
        }
    }
    values.truncate(write);
}
