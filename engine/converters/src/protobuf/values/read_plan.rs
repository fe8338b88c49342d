//! How the bytes of a message get into columns: made once for each schema.

use std::sync::Arc;

use prost_reflect::MessageDescriptor;
use rustc_hash::FxHashMap;

use super::wire::Wire;

/// A scalar of Protobuf.
#[derive(Clone, Debug)]
pub(crate) enum Scalar {
    /// INT8 to INT32.
    Int32,
    SInt32,
    SFixed32,
    /// INT64.
    UInt32,
    Fixed32,
    Int64,
    SInt64,
    SFixed64,
    /// INT64, which the highest numbers do not fit: they become negative, as in Java.
    UInt64,
    Fixed64,
    Float,
    Double,
    Bool,
    /// STRING; what is no UTF-8 is refused (proto3), or replaced.
    Text {
        strict: bool,
    },
    Bytes,
    /// STRING.
    Symbol(Arc<Symbols>),
    /// INT32: the number of a symbol.
    SymbolNumber(Arc<Symbols>),
}

impl Scalar {
    /// How it stands in a message.
    pub(crate) fn wire(&self) -> Wire {
        match self {
            Self::SFixed32 | Self::Fixed32 | Self::Float => Wire::Fixed32,
            Self::SFixed64 | Self::Fixed64 | Self::Double => Wire::Fixed64,
            Self::Text { .. } | Self::Bytes => Wire::Sized,
            _ => Wire::Varint,
        }
    }

    /// Whether many of them may stand together without tags.
    pub(crate) fn is_packable(&self) -> bool {
        self.wire() != Wire::Sized
    }
}

/// The symbols of an enum.
#[derive(Debug)]
pub(crate) struct Symbols {
    /// Simple name of the enum.
    pub(crate) name: String,
    pub(crate) by_number: FxHashMap<i32, String>,
    /// Whether numbers without a symbol are not values (proto2).
    pub(crate) is_closed: bool,
}

/// How a value is read, whose field is known. What it is read into has the shape of the Connect schema that was made with it.
#[derive(Debug)]
pub(crate) enum ValuePlan {
    Scalar(Scalar),
    /// STRUCT.
    Struct(MessagePlan),
    /// A message of one field, which stands for that field's value.
    Wrapped(Box<FieldPlan>),
    Timestamp,
    Date,
    Time,
    /// Decimal of this scale.
    Decimal(i32),
    /// STRING: a message that may contain messages of its own type, as JSON.
    Json(MessageDescriptor),
}

/// How a field is read.
#[derive(Debug)]
pub(crate) struct FieldPlan {
    pub(crate) number: u32,
    pub(crate) place: Place,
    pub(crate) kind: FieldKind,
    pub(crate) absent: Absent,
}

/// Which column a field's values are.
#[derive(Debug)]
pub(crate) struct Place {
    /// The field of the struct.
    pub(crate) member: usize,
    /// The field within, if that is a oneof's struct.
    pub(crate) branch: Option<usize>,
    /// Fields of the struct that become null with this one.
    pub(crate) siblings: Vec<usize>,
}

#[derive(Debug)]
pub(crate) enum FieldKind {
    Single(ValuePlan),
    List(ValuePlan),
    Map(Box<EntryPlan>),
}

/// How the entries of a map are read.
#[derive(Debug)]
pub(crate) struct EntryPlan {
    pub(crate) key: FieldPlan,
    pub(crate) value: FieldPlan,
}

/// What a field is that is not in a message.
#[derive(Debug)]
pub(crate) enum Absent {
    Null,
    /// An empty array or map.
    Empty,
    /// The value with these bytes.
    Bytes(Vec<u8>),
    /// An error.
    Refuse,
}

/// How a message is read.
#[derive(Debug)]
pub(crate) struct MessagePlan {
    pub(crate) fields: Vec<FieldPlan>,
    /// The places of fields by their numbers, as far as these are small; `NONE`: there is none.
    dense: Vec<u32>,
    others: FxHashMap<u32, u32>,
    /// The fields that are not null where they are absent.
    pub(crate) to_fill: Vec<usize>,
}

const NONE: u32 = u32::MAX;
/// Numbers up to this one are looked up in an array.
const DENSE: u32 = 1_024;

impl MessagePlan {
    /// A plan of these fields.
    pub(crate) fn new(fields: Vec<FieldPlan>) -> Self {
        let numbers = || fields.iter().map(|field| field.number).zip(0u32..);
        let largest = numbers().map(|(number, _)| number).filter(|number| *number <= DENSE).max().unwrap_or(0);
        let mut dense = vec![NONE; largest as usize + 1];
        let mut others = FxHashMap::default();
        for (number, place) in numbers() {
            match dense.get_mut(number as usize) {
                Some(slot) => *slot = place,
                None => drop(others.insert(number, place)),
            }
        }
        let is_filled = |field: &FieldPlan| !matches!(field.absent, Absent::Null);
        let to_fill = fields.iter().enumerate().filter(|(_, field)| is_filled(field)).map(|(index, _)| index).collect();
        Self { fields, dense, others, to_fill }
    }

    /// The field of this number.
    #[inline]
    pub(crate) fn field(&self, number: u32) -> Option<&FieldPlan> {
        let place = match self.dense.get(number as usize) {
            Some(place) => *place,
            None => self.others.get(&number).copied().unwrap_or(NONE),
        };
        self.fields.get(place as usize)
    }
}
