//! Records whose schema has no version are taken out where versions say what shares a file.

use volley_api::schema::has_schema;
use volley_api::{Error, Records, RejectedRow};

use crate::evolution::{Compatibility, version};
use crate::format::rejected_row;

/// The class of Connect's error.
const PROJECTOR_EXCEPTION: &str = "org.apache.kafka.connect.errors.SchemaProjectorException";

/// The records, or none of them and a rejection for each, if their schema has no version and needs one.
pub(crate) fn with_version(records: Records, compatibility: Compatibility, rejected: &mut Vec<RejectedRow>) -> Records {
    let field = &records.value.field;
    if !compatibility.needs_versions() || !has_schema(field) || version(field).is_some() {
        return records;
    }
    rejected.extend((0..records.len()).map(|row| {
        let message = format!(
            "Schema version required for {compatibility} compatibility: the schema of the value at offset {} of topic `{}` has \
             none; use a converter with a schema registry and no transformation that makes schemas anew, or set \
             `schema.compatibility` to NONE",
            records.offset(row).unwrap_or(-1),
            records.topic
        );
        rejected_row(&records, row, Error::data(message).with_exception(PROJECTOR_EXCEPTION))
    }));
    records.slice(0, 0)
}
