//! What Kafka Connect's own classes answer, compared: `tests/java/TransformReference.java` wrote it down in `testdata/`.
//!
//! A line is a case, a tab, and the answer of Java; behind another tab stands why ours differs, where it does. Schemaless
//! values are tried in every form that a column has for them.

mod batches;
mod case;
mod differential;
mod keys;
mod told;
