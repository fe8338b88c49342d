//! Defaults of fields, which proto2 has.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use prost_reflect::{FieldDescriptor, Kind, Value as ProtoValue};
use serde_json::{Value, json};

use crate::protobuf::values::read::zero_of;
use crate::protobuf::values::read_plan::Scalar;
use crate::protobuf::values::wire::{write_varint, zig_zag};

/// The default that stands in the schema, in Connect's JSON form; that of an enum as a number if `int_for_enums`.
pub(crate) fn default_as_json(field: &FieldDescriptor, int_for_enums: bool) -> Option<Value> {
    field.field_descriptor_proto().default_value.as_ref()?;
    Some(match (field.default_value(), field.kind()) {
        (ProtoValue::Bool(value), _) => json!(value),
        (ProtoValue::I32(value), _) => json!(value),
        (ProtoValue::I64(value), _) => json!(value),
        (ProtoValue::U32(value), _) => json!(value),
        (ProtoValue::U64(value), _) => json!(value.cast_signed()),
        (ProtoValue::F32(value), _) if value.is_finite() => json!(value),
        (ProtoValue::F64(value), _) if value.is_finite() => json!(value),
        (ProtoValue::String(value), _) => json!(value),
        (ProtoValue::Bytes(value), _) => json!(STANDARD.encode(value)),
        (ProtoValue::EnumNumber(number), _) if int_for_enums => json!(number),
        (ProtoValue::EnumNumber(number), Kind::Enum(enumeration)) => json!(enumeration.get_value(number)?.name()),
        _ => return None,
    })
}

/// The bytes of the default, or of zero.
pub(crate) fn default_bytes(field: &FieldDescriptor, scalar: &Scalar) -> Vec<u8> {
    let mut out = Vec::new();
    match (field.default_value(), scalar) {
        (ProtoValue::Bool(value), _) => out.push(value.into()),
        (ProtoValue::I32(value), Scalar::SInt32) => write_varint(&mut out, zig_zag(value.into())),
        (ProtoValue::I32(value), Scalar::SFixed32) => out.extend_from_slice(&value.to_le_bytes()),
        (ProtoValue::I32(value) | ProtoValue::EnumNumber(value), _) => {
            write_varint(&mut out, i64::from(value).cast_unsigned());
        }
        (ProtoValue::I64(value), Scalar::SInt64) => write_varint(&mut out, zig_zag(value)),
        (ProtoValue::I64(value), Scalar::SFixed64) => out.extend_from_slice(&value.to_le_bytes()),
        (ProtoValue::I64(value), _) => write_varint(&mut out, value.cast_unsigned()),
        (ProtoValue::U32(value), Scalar::Fixed32) => out.extend_from_slice(&value.to_le_bytes()),
        (ProtoValue::U32(value), _) => write_varint(&mut out, value.into()),
        (ProtoValue::U64(value), Scalar::Fixed64) => out.extend_from_slice(&value.to_le_bytes()),
        (ProtoValue::U64(value), _) => write_varint(&mut out, value),
        (ProtoValue::F32(value), _) => out.extend_from_slice(&value.to_le_bytes()),
        (ProtoValue::F64(value), _) => out.extend_from_slice(&value.to_le_bytes()),
        (ProtoValue::String(value), _) => put_sized(value.as_bytes(), &mut out),
        (ProtoValue::Bytes(value), _) => put_sized(&value, &mut out),
        _ => return zero_of(scalar),
    }
    out
}

fn put_sized(bytes: &[u8], out: &mut Vec<u8>) {
    write_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}
