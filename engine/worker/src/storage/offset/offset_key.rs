//! Keys and values of stored offsets: JSON bytes as Kafka Connect's JsonConverter writes them.

use serde_json::Value;
use volley_api::{Error, Result, SourceOffset, SourcePartition, is_null_map};
use volley_java::ByteMap;

use crate::storage::json_bytes::json_bytes;

/// Key and value bytes of all connectors.
pub(super) type OffsetBytes = ByteMap;

/// The key `["connector",{partition}]`, or `["connector",null]`.
pub(super) fn offset_key(connector: &str, partition: &SourcePartition) -> Result<Vec<u8>> {
    let partition = Some(partition).filter(|partition| !is_null_map(partition));
    json_bytes(&(connector, partition))
}

/// The value of an offset.
pub(super) fn offset_value(offset: &SourceOffset) -> Result<Vec<u8>> {
    json_bytes(offset)
}

/// Connector and partition of a key; `None` if it is not one (a null partition is not listed either).
pub(super) fn parse_offset_key(key: &[u8]) -> Option<(String, SourcePartition)> {
    serde_json::from_slice(key).ok()
}

/// The offset in a value.
///
/// # Errors
/// If the value is not a JSON object.
pub(super) fn parse_offset_value(value: &[u8]) -> Result<SourceOffset> {
    serde_json::from_slice(value).map_err(|error| {
        Error::fatal(format!("could not read stored offset `{}` as a JSON object", String::from_utf8_lossy(value)))
            .with_source(error)
    })
}

/// The key of a partition's stored offset: the exact one, or one whose members are in another order.
pub(super) fn stored_key(bytes: &OffsetBytes, connector: &str, partition: &SourcePartition) -> Result<Option<Vec<u8>>> {
    let exact = offset_key(connector, partition)?;
    if bytes.contains_key(&exact) {
        return Ok(Some(exact));
    }
    if partition.len() < 2 {
        return Ok(None);
    }
    // Iterates over all keys of the connector, but only for partitions with several members and no offset yet.
    let same = |(key, _): &(&Vec<u8>, &Vec<u8>)| parse_offset_key(key).is_some_and(|(_, other)| other == *partition);
    let found = offsets_of(bytes, connector)?.find(same).map(|(key, _)| key.clone());
    Ok(found)
}

/// Keys and values of one connector.
pub(super) fn offsets_of<'a>(
    bytes: &'a OffsetBytes,
    connector: &str,
) -> Result<impl Iterator<Item = (&'a Vec<u8>, &'a Vec<u8>)>> {
    let mut prefix = b"[".to_vec();
    prefix.extend(json_bytes(&connector)?);
    prefix.push(b',');
    let first = prefix.clone();
    Ok(bytes.range(first..).take_while(move |(key, _)| key.starts_with(&prefix)))
}

/// All partitions of a connector that have an offset.
pub(super) fn list_offsets(bytes: &OffsetBytes, connector: &str) -> Result<Vec<(SourcePartition, SourceOffset)>> {
    let offsets = offsets_of(bytes, connector)?.filter_map(|(key, value)| {
        let (_, partition) = parse_offset_key(key)?;
        Some(parse_offset_value(value).map(|offset| (partition, offset)))
    });
    offsets.collect()
}

/// Checks that the members of a partition or an offset are primitive, as Kafka Connect requires.
pub(super) fn check_primitive(members: &SourcePartition) -> Result<()> {
    let kind = |value: &Value| match value {
        Value::Array(_) => Some("ARRAY"),
        Value::Object(_) => Some("MAP"),
        _ => None,
    };
    match members.iter().find_map(|(name, value)| Some((name, kind(value)?))) {
        None => Ok(()),
        Some((name, kind)) => Err(Error::data(format!(
            "Offsets may only contain primitive types as values, but field {name} contains {kind}"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_compact_json_in_the_order_given() {
        let partition: SourcePartition = serde_json::from_str(r#"{ "z": "ä\u001f\n", "a": 1 }"#).unwrap();
        let key = offset_key("local-file-source", &partition).unwrap();
        assert_eq!(String::from_utf8(key).unwrap(), r#"["local-file-source",{"z":"ä\u001F\n","a":1}]"#);
    }

    #[test]
    fn a_partition_with_members_in_another_order_is_the_same() {
        let stored: SourcePartition = serde_json::from_str(r#"{"a":1,"b":2}"#).unwrap();
        let asked: SourcePartition = serde_json::from_str(r#"{"b":2,"a":1}"#).unwrap();
        let bytes = OffsetBytes::from([(offset_key("c", &stored).unwrap(), b"{}".to_vec())]);
        assert_eq!(stored_key(&bytes, "c", &asked).unwrap(), Some(offset_key("c", &stored).unwrap()));
        assert_eq!(stored_key(&bytes, "d", &asked).unwrap(), None);
    }

    #[test]
    fn a_null_partition_has_kafka_s_key_and_is_found_by_it_but_not_listed() {
        let partition = volley_api::null_map();
        let key = offset_key("c", &partition).unwrap();
        assert_eq!(key, br#"["c",null]"#);
        assert_ne!(key, offset_key("c", &SourcePartition::new()).unwrap());
        let bytes = OffsetBytes::from([(key.clone(), br#"{"a":1}"#.to_vec())]);
        assert_eq!(stored_key(&bytes, "c", &partition).unwrap(), Some(key));
        assert!(list_offsets(&bytes, "c").unwrap().is_empty());
    }

    #[test]
    fn a_connector_whose_name_begins_like_another_has_offsets_of_its_own() {
        let partition: SourcePartition = serde_json::from_str(r#"{"a":1}"#).unwrap();
        let names = ["a", "a\"", "ab", "a,", "\u{e4}"];
        let keys = names.map(|name| (offset_key(name, &partition).unwrap(), b"{}".to_vec()));
        let bytes = OffsetBytes::from(keys);
        for name in names {
            let found: Vec<_> = offsets_of(&bytes, name).unwrap().map(|(key, _)| key.clone()).collect();
            assert_eq!(found, [offset_key(name, &partition).unwrap()]);
        }
    }
}
