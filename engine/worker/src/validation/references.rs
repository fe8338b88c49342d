//! Hides the values of config providers. They are for the connector only: where a validation would show one, it shows
//! the given reference.

use std::collections::HashMap;

use volley_api::ConfigMap;

use super::config_infos::ConfigInfos;
use crate::secret_mask::HIDDEN;

/// Keys whose values become parts of other keys' names.
const NAMES: [&str; 3] = ["transforms", "predicates", "topic.creation.groups"];

/// Shorter parts of a value may occur in a message by chance.
const MIN_PIECE: usize = 4;

/// The values that came from config providers, by key.
#[derive(Clone, Default)]
pub(super) struct References {
    by_key: HashMap<String, Reference>,
}

#[derive(Clone)]
struct Reference {
    given: String,
    resolved: String,
}

impl References {
    /// The differences between a given configuration and the resolved one.
    pub(super) fn between(given: &ConfigMap, resolved: &ConfigMap) -> Self {
        let changed = given.iter().filter_map(|(key, given)| {
            let resolved = resolved.get(key).filter(|resolved| *resolved != given)?;
            Some((key.clone(), Reference { given: given.clone(), resolved: resolved.clone() }))
        });
        Self { by_key: changed.collect() }
    }

    /// Replaces the values by the given references.
    pub(super) fn show_in(&self, infos: &mut ConfigInfos) {
        for config in &mut infos.configs {
            let Some(reference) = self.by_key.get(&config.value.name) else { continue };
            if let Some(value) = config.value.value.as_mut().filter(|value| *value != HIDDEN) {
                value.clone_from(&reference.given);
            }
            for error in &mut config.value.errors {
                *error = reference.shown_in(error);
            }
        }
        for reference in NAMES.iter().filter_map(|key| self.by_key.get(*key)) {
            names_of(infos).for_each(|text| *text = reference.shown_in(text));
        }
    }

    /// Replaces the values in a message by the given references.
    pub(super) fn shown_in(&self, message: &str) -> String {
        self.by_key.values().fold(message.to_owned(), |message, reference| reference.shown_in(&message))
    }
}

/// All texts that contain names of keys.
fn names_of(infos: &mut ConfigInfos) -> impl Iterator<Item = &mut String> {
    let configs = infos.configs.iter_mut().flat_map(|config| {
        let definition = config.definition.iter_mut().flat_map(|key| {
            let names = [&mut key.name, &mut key.documentation, &mut key.display_name];
            names.into_iter().chain(&mut key.group).chain(&mut key.dependents)
        });
        let value = &mut config.value;
        definition.chain([&mut value.name]).chain(&mut value.errors)
    });
    infos.groups.iter_mut().chain(configs)
}

impl Reference {
    fn shown_in(&self, message: &str) -> String {
        let value = self.resolved.trim();
        let told = |value: &str| format!("Invalid value {value} for configuration ");
        let message =
            message.replace(&told(&self.resolved), &told(&self.given)).replace(&told(value), &told(&self.given));
        if value.len() >= MIN_PIECE && message.contains(value) {
            return message.replace(value, &self.given);
        }
        let items = value.split(',').map(str::trim).filter(|item| item.len() >= MIN_PIECE);
        // Text that the user wrote beside the reference is not secret.
        let items = items.filter(|item| !self.given.contains(item));
        items.fold(message, |message, item| message.replace(item, &self.given))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use volley_api::testing::config_map;

    use super::*;

    fn shown(given: &str, resolved: &str, message: &str) -> String {
        References::between(&config_map(&[("k", given)]), &config_map(&[("k", resolved)])).shown_in(message)
    }

    #[test]
    fn a_message_has_the_reference_where_it_had_the_value() {
        let not_a_number = |value: &str| format!("Invalid value {value} for configuration k: Not a number of type INT");
        for value in ["hunter2", " hunter2 ", "x", ""] {
            assert_eq!(shown("${env:V}", value, &not_a_number(value)), not_a_number("${env:V}"));
        }
        assert_eq!(shown("${env:V}", "ab, hunter2", "no class hunter2"), "no class ${env:V}");
        assert_eq!(shown("${env:V}", "a", "a message"), "a message");
        assert_eq!(
            shown("mine,${env:V}", "mine,hunter2", "neither mine nor hunter2"),
            "neither mine nor mine,${env:V}"
        );
        assert_eq!(shown("plain", "plain", &not_a_number("plain")), not_a_number("plain"));
    }

    proptest! {
        #[test]
        fn no_value_is_left_in_a_message(value in "[A-Z]{4,12}", before in "[a-z ]{0,8}", after in "[a-z ]{0,8}") {
            let message = shown("${env:v}", &value, &format!("{before}{value}{after}"));
            prop_assert_eq!(message, format!("{before}${{env:v}}{after}"));
        }
    }
}
