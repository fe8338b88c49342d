//! `ExtractNewDocumentState`: the change events of MongoDB, whose rows are documents as extended JSON.
//!
//! ```text
//!  after: {"_id": {"$oid": …}, "n": 1} ─ Bson::parse ─► Bson ─ typed_field ─► a schema ─ array_of ─► the rows of that schema
//! ```
//!
//! Each document has a schema of its own. The rows of a batch whose documents have the same are one.

mod bson;
mod bson_arrays;
mod bson_reader;
mod document_schema;
mod extract_new_document_state;
mod flat_documents;

pub(super) use extract_new_document_state::ExtractNewDocumentState;
