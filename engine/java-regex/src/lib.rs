//! Java's regular expressions: what configurations are written in.

mod java_regex;

pub use java_regex::{JavaRegex, JavaRegexError, validate_java_regex};
