//! What users set of the mapping between Connect and Avro.

use crate::identifiers::{is_identifier, scrubbed};

/// The settings of the mapping; see the keys of AvroConverter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AvroSettings {
    /// `enhanced.avro.schema.support`: enums are written as enums, and names keep their namespaces in unions.
    pub(crate) enhanced: bool,
    /// `connect.meta.data`: what Avro has no word for stands in properties.
    pub(crate) meta_data: bool,
    /// `scrub.invalid.names`: names that Avro does not allow are rewritten.
    pub(crate) scrub_names: bool,
    /// `allow.optional.map.keys`: maps with optional string keys are Avro's maps.
    pub(crate) optional_map_keys: bool,
    /// `flatten.singleton.unions`: a union of one branch is that branch.
    pub(crate) flatten_singletons: bool,
    /// `ignore.default.for.nullables`: null stays null where the schema has a default.
    pub(crate) null_over_default: bool,
    /// `volley.logical.types=debezium`: logical types that Connect does not have keep their meaning in Debezium's names.
    pub(crate) debezium_names: bool,
}

impl Default for AvroSettings {
    fn default() -> Self {
        Self {
            enhanced: false,
            meta_data: true,
            scrub_names: false,
            optional_map_keys: false,
            flatten_singletons: false,
            null_over_default: false,
            debezium_names: false,
        }
    }
}

impl AvroSettings {
    /// A name as Avro allows it; `None` if it does not, and names are not rewritten.
    pub(crate) fn avro_name(&self, name: &str) -> Option<String> {
        if is_identifier(name) {
            return Some(name.to_owned());
        }
        self.scrub_names.then(|| scrubbed(name))
    }

    /// Whether a field of this name is called `avro` in Avro.
    pub(crate) fn name_is(&self, name: &str, avro: &str) -> bool {
        name == avro || (self.scrub_names && !is_identifier(name) && scrubbed(name) == avro)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_rewritten_only_if_wanted() {
        let (strict, scrubbing) =
            (AvroSettings::default(), AvroSettings { scrub_names: true, ..AvroSettings::default() });
        for (name, avro) in [("a_1", "a_1"), ("a-b", "a_b"), ("1a", "x1a"), ("ä", "_C3_A4"), ("a b", "a_b"), ("", "x")]
        {
            assert_eq!(scrubbing.avro_name(name).as_deref(), Some(avro));
            assert!(scrubbing.name_is(name, avro));
            assert_eq!(strict.avro_name(name).is_some(), name == avro);
        }
    }
}
