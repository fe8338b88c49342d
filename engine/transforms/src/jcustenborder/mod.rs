//! The transformations of Jeremy Custenborder's kafka-connect-transform-common, compared with its own classes.
//!
//! | folder | |
//! |---|---|
//! | `fields/` | give fields of structs other values or types |
//! | `names/` | rename fields |
//! | `topics/` | change topics and times, and drop records |

mod fields;
mod names;
mod plugins;
mod supported;
#[cfg(test)]
mod tests;
mod topics;

pub(crate) use plugins::plugins;
