//! The events of several tables as those of one.

mod by_logical_table_router;
mod renamed_schemas;
mod schema_names;

pub use by_logical_table_router::ByLogicalTableRouter;
