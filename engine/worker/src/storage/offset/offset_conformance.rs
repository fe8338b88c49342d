//! Conformance tests for every offset store.

use serde_json::json;
use volley_api::{SourceOffset, SourcePartition};

use super::OffsetBackingStore;

fn map(value: serde_json::Value) -> SourcePartition {
    match value {
        serde_json::Value::Object(map) => map,
        other => panic!("{other} is no object"),
    }
}

/// Runs the suite against an empty store.
pub(crate) fn assert_offset_store_conforms(store: &dyn OffsetBackingStore) {
    let (file, both) = (map(json!({"filename": "a.txt"})), map(json!({"db": "x", "table": "y"})));
    let offset = |position: u64| -> SourceOffset { map(json!({ "position": position })) };

    assert_eq!(store.get("c", &file).expect("get"), None, "nothing is stored at first");
    store.set("c", &[(file.clone(), Some(offset(20))), (both.clone(), Some(offset(1)))]).expect("set");
    store.set("other", &[(file.clone(), Some(offset(7)))]).expect("set");
    assert_eq!(store.get("c", &file).expect("get"), Some(offset(20)));
    assert_eq!(store.get("other", &file).expect("get"), Some(offset(7)), "connectors do not share offsets");

    let swapped = map(json!({"table": "y", "db": "x"}));
    store.set("c", &[(swapped.clone(), Some(offset(2)))]).expect("set");
    assert_eq!(store.get("c", &both).expect("get"), Some(offset(2)), "the order of members does not matter");
    assert_eq!(store.list("c").expect("list").len(), 2);

    let nested = map(json!({"a": {"b": 1}}));
    assert!(store.set("c", &[(file.clone(), Some(offset(99))), (nested, Some(offset(1)))]).is_err());
    assert_eq!(store.get("c", &file).expect("get"), Some(offset(20)), "a refused set changes nothing");

    store.set("c", &[(file.clone(), None), (both, None)]).expect("set");
    assert_eq!(store.list("c").expect("list"), []);
    assert_eq!(store.list("other").expect("list"), [(file, offset(7))]);
}
