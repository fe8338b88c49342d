//! JSON, token by token, with the place of each; what is wrong with a text is said in the words of Kafka Connect's JSON
//! library, since they reach its clients.

mod problem;
mod reader;
mod scalars;
#[cfg(test)]
mod tests;
mod token;

pub(crate) use problem::{Place, Problem, Read};
pub(crate) use reader::JsonText;
pub(crate) use token::Token;
