//! JSON bodies, read as Kafka Connect's JSON library reads them, with its words for what is wrong.

pub(crate) mod json_body;
pub(crate) mod json_text;
