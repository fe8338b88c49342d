//! A tokenizer for JSON with the place of each token. Errors have the wording of Kafka Connect's JSON library, since
//! clients see them.

mod problem;
mod reader;
mod scalars;
#[cfg(test)]
mod tests;
mod token;

pub(crate) use problem::{Place, Problem, Read};
pub(crate) use reader::JsonText;
pub(crate) use token::Token;
