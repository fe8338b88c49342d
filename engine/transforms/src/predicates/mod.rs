//! Predicates: which records a transformation is applied to.

mod has_header_key;
mod record_is_tombstone;
mod topic_name_matches;

pub use has_header_key::HasHeaderKey;
pub use record_is_tombstone::RecordIsTombstone;
pub use topic_name_matches::TopicNameMatches;
use volley_api::Plugin;

pub(crate) fn plugins() -> [Plugin; 3] {
    [topic_name_matches::plugin(), has_header_key::plugin(), record_is_tombstone::plugin()]
}
