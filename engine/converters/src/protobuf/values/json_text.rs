//! Messages as JSON text: those that contain themselves, which no Arrow type can, and those that are JSON by themselves.
//!
//! It is Protobuf's own mapping to JSON, but with the names of fields as they stand in the schema, and with integers of 64
//! bits as numbers.

use prost_reflect::prost::Message as _;
use prost_reflect::{DeserializeOptions, DynamicMessage, MessageDescriptor, SerializeOptions};

use crate::json::{Decoded, Failure};

/// Appends a message as JSON.
pub(crate) fn write_json(descriptor: &MessageDescriptor, message: &[u8], out: &mut Vec<u8>) -> Decoded<()> {
    let parsed = DynamicMessage::decode(descriptor.clone(), message);
    let parsed = parsed.map_err(|error| Failure::unfit(format!("it is no {}: {error}", descriptor.full_name())))?;
    let options = SerializeOptions::new().stringify_64_bit_integers(false).use_proto_field_name(true);
    parsed
        .serialize_with_options(&mut serde_json::Serializer::new(out), &options)
        .map_err(|error| Failure::unfit(format!("a {} is no JSON: {error}", descriptor.full_name())))
}

/// Appends the message that a JSON text is.
///
/// # Errors
/// The text is not of such a message.
pub(crate) fn write_message(descriptor: &MessageDescriptor, json: &str, out: &mut Vec<u8>) -> Result<(), String> {
    let mut json = serde_json::Deserializer::from_str(json);
    let options = DeserializeOptions::new();
    let parsed = DynamicMessage::deserialize_with_options(descriptor.clone(), &mut json, &options)
        .and_then(|parsed| json.end().map(|()| parsed))
        .map_err(|error| format!("the text is no {}: {error}", descriptor.full_name()))?;
    out.extend_from_slice(&parsed.encode_to_vec());
    Ok(())
}
