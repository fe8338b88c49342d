//! JSON bodies, parsed as by Kafka Connect's JSON library, with its error messages.

pub(crate) mod json_body;
pub(crate) mod json_text;
