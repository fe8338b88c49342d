//! JSONPath as Jayway's JsonPath has it, on columns: which rows a path finds something in.
//!
//! | accepted | |
//! |---|---|
//! | `$.a.b`, `$['a']["b"]`, `["a"]["b"]` | fields |
//! | `[0]`, `[-1]` | one element of a list, from its start or its end |
//! | `[*]`, `.*` | all elements or members |
//! | `[?(…)]`, `[?…]` | those for which a condition holds; of an object, the object itself |
//! | `@.a == 1`, `!=`, `<`, `<=`, `>`, `>=` | comparisons with a number, text, `true`, `false`, `null` or another path |
//! | `=~ /a.*/i` | a regular expression that the whole text matches; flags i, m, s and x |
//! | `in ['a','b']`, `nin`, `'a' in @.list` | one of a list |
//! | `subsetof`, `anyof`, `noneof`, `contains` | what a list has |
//! | `size 2`, `empty true` | how much a list or text has |
//! | `@.a`, `!@.a` | whether there is a value |
//! | `&&`, `\|\|`, `!(…)`, `(…)` | conditions of conditions |
//!
//! Not accepted, since a predicate on records hardly needs them: `..`, slices, several names in one bracket, functions
//! (`length()`), and paths from `$` within a condition. They are refused with the place where they stand.
//!
//! A null is the same as a value that is missing, as columns without a schema have it.

mod comparison;
mod condition;
mod cursor;
mod literal;
mod located;
mod parser;
mod path;
#[cfg(test)]
mod reference_tests;
mod scalars;

pub(super) use path::{Found, JsonPath};
