//! A query over all records of a bounded run: its result is written in place of the records.
//!
//! ```text
//!  put ─► BoundedQuery (records, on local disk)
//!              │ end of the input
//!              ▼
//!         RunningQuery ─► QueryResult ─► ResultWriter ─► Delivery ─► files of this attempt
//!                                                                        │ all there
//!                                                          _SUCCESS ◄────┘
//!                                                              └─► offsets are committed
//! ```
//!
//! A result depends on all records, and two executions may give its rows in another order. So nothing is committed before all
//! of it is written, and whoever is interrupted begins anew. Files of two attempts have different names. The one whose
//! [`_SUCCESS`](success_file) is there first counts; it names its files, and removes those of other attempts.

mod attempt;
mod query_config;
mod query_task;
mod result_writer;
mod running_query;
mod success_file;
#[cfg(test)]
pub(crate) mod test_engine;
#[cfg(test)]
mod tests;

pub(crate) use query_config::{QUERY, QueryConfig, query_issues, query_keys};
pub(crate) use query_task::QueryTask;
