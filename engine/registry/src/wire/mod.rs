//! What stands before the data in a message: the id of its schema, and for Protobuf which message of the file it is.
//!
//! ```text
//!  00 | id, 4 bytes    | data                          as always
//!  01 | GUID, 16 bytes | data                          newer
//!  header __value_schema_id: 01 | GUID     body: data  newer
//!
//!  Protobuf: message indexes stand behind the id, in the header too
//! ```

mod apicurio_framing;
mod frame;
mod framing;
mod json_envelope;
mod message_indexes;
mod schema_id;

pub use apicurio_framing::ApicurioFraming;
pub(crate) use apicurio_framing::{IdHeaders, IdWidth};
pub use frame::{Frame, schema_id_header};
pub use framing::{DataEncoding, Framing};
pub use message_indexes::MessageIndexes;
pub use schema_id::SchemaId;

use volley_api::Error;

/// An error of Kafka's serializers.
fn serialization_error(message: impl Into<String>) -> Error {
    Error::data(message).with_exception("org.apache.kafka.common.errors.SerializationException")
}
