//! Checks of framework keys.

use std::collections::HashSet;

use volley_api::ConfigValue;

/// Bytes of the longest name that the messages of a group can carry.
pub(crate) const MAX_NAME_BYTES: usize = i16::MAX as usize;

/// A connector's name: not empty, no control characters, not longer than a group can say.
pub(super) fn connector_name(value: &ConfigValue) -> Result<(), String> {
    let ConfigValue::String(name) = value else { return Ok(()) };
    if name.trim().is_empty() {
        return Err("String may not be empty".into());
    }
    if name.len() > MAX_NAME_BYTES {
        return Err(format!("String may not be longer than {MAX_NAME_BYTES} bytes, and has {}", name.len()));
    }
    let controls: Vec<String> = name.chars().filter(|c| c.is_control()).map(|c| u32::from(c).to_string()).collect();
    match controls.is_empty() {
        true => Ok(()),
        false => Err(format!(
            "String may not contain control sequences but had the following ASCII chars: {}",
            controls.join(", ")
        )),
    }
}

/// Aliases of transformations, predicates or topic creation groups.
pub(super) fn unique_aliases(value: &ConfigValue) -> Result<(), String> {
    let ConfigValue::List(aliases) = value else { return Err("entry must be non null".into()) };
    let mut seen = HashSet::new();
    match aliases.iter().all(|alias| seen.insert(alias)) {
        true => Ok(()),
        false => Err("Duplicate alias provided.".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connector_name_may_hold_anything_but_control_characters() {
        for name in ["a b", "sl/ash", "per%cent", "\u{1F600}", "\"quoted\""] {
            assert_eq!(connector_name(&ConfigValue::String(name.into())), Ok(()));
        }
        let message = "String may not contain control sequences but had the following ASCII chars: 10, 13";
        assert_eq!(connector_name(&ConfigValue::String("a\n\rb".into())), Err(message.into()));
        assert_eq!(connector_name(&ConfigValue::String(String::new())), Err("String may not be empty".into()));
    }

    #[test]
    fn a_connector_name_is_no_longer_than_a_message_of_the_group_can_say() {
        assert_eq!(connector_name(&ConfigValue::String("n".repeat(MAX_NAME_BYTES))), Ok(()));
        let error = connector_name(&ConfigValue::String("n".repeat(40_000))).unwrap_err();
        assert!(error.contains("32767") && error.contains("40000"), "{error}");
    }
}
