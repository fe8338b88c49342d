//! The configuration keys of ProtobufConverter besides those of a registry's client.

use volley_api::{Config, ConfigDef, ConfigKey, ConfigType, ConfigValue, Importance, Validator};
use volley_registry::{ReferenceSubjectNameStrategy, registry_config_def};

use crate::identifiers::{is_identifier, scrubbed};
use crate::keys::{cache_size_key, converter_type_key};

const ENHANCED: &str = "enhanced.protobuf.schema.support";
const GENERALIZED: &str = "generalized.sum.type.support";
const SCRUB_NAMES: &str = "scrub.invalid.names";
const INT_FOR_ENUMS: &str = "int.for.enums";
const OPTIONAL: &str = "optional.for.nullables";
const OPTIONAL_PROTO2: &str = "optional.for.proto2";
const WRAPPERS: &str = "wrapper.for.nullables";
const RAW_WRAPPERS: &str = "wrapper.for.raw.primitives";
const STRUCT_FOR_NULLS: &str = "generate.struct.for.nulls";
const UNION_INDEX: &str = "generate.index.for.unions";
const FLATTEN_UNIONS: &str = "flatten.unions";
const NULL_OVER_DEFAULT: &str = "ignore.default.for.nullables";
const REFERENCE_SUBJECT: &str = "reference.subject.name.strategy";
const SKIP_KNOWN: &str = "skip.known.types";

/// All keys.
pub(crate) fn protobuf_converter_def() -> ConfigDef {
    let flag = |key: &str, default: &str, doc: &str| {
        ConfigKey::with_default(key, ConfigType::Boolean, default, Importance::Medium, doc)
    };
    let reference_subject = ConfigKey::with_default(
        REFERENCE_SUBJECT,
        ConfigType::String,
        "io.confluent.kafka.serializers.subject.DefaultReferenceSubjectNameStrategy",
        Importance::Low,
        "How the subject of an imported file is found: DefaultReferenceSubjectNameStrategy (its path) or \
         QualifiedReferenceSubjectNameStrategy (its path with dots, without .proto), in the package \
         io.confluent.kafka.serializers.subject.",
    );
    registry_config_def()
        .key(converter_type_key())
        .key(flag(ENHANCED, "false", "Whether the names of schemas keep their packages."))
        .key(flag(
            GENERALIZED,
            "false",
            "Whether enums and oneofs are marked with parameters that all formats share, in place of Protobuf's own.",
        ))
        .key(flag(
            SCRUB_NAMES,
            "false",
            "Whether names that Protobuf does not allow are rewritten. If false, records with such names are refused.",
        ))
        .key(flag(INT_FOR_ENUMS, "false", "Whether enums are integers. If false, they are strings."))
        .key(flag(
            OPTIONAL,
            "false",
            "Whether fields that may be null are written with the label `optional`, and only such fields are read as optional.",
        ))
        .key(flag(OPTIONAL_PROTO2, "true", "Whether an optional field of proto2 that is not there is null, and not its default."))
        .key(flag(
            WRAPPERS,
            "false",
            "Whether fields that may be null are written as messages like google.protobuf.StringValue, and such messages read \
             as values.",
        ))
        .key(flag(
            RAW_WRAPPERS,
            "true",
            "Whether a value that is no struct is written as a message like google.protobuf.StringValue, and such a message \
             read as a value.",
        ))
        .key(flag(
            STRUCT_FOR_NULLS,
            "false",
            "Whether a message within a message that is not there is read as a struct of defaults, and not as null.",
        ))
        .key(flag(UNION_INDEX, "true", "Whether the field of a oneof is called by its name and its number."))
        .key(flag(FLATTEN_UNIONS, "false", "Whether the fields of a oneof are fields of the struct around it."))
        .key(flag(NULL_OVER_DEFAULT, "false", "Whether a null is written as null where the schema has a default."))
        .key(reference_subject.validated(Validator::custom(check_strategy)))
        .key(flag(
            SKIP_KNOWN,
            "true",
            "Whether imported files that every registry has (google/protobuf, google/type, confluent) are not registered.",
        ))
        .key(cache_size_key())
}

fn check_strategy(value: &ConfigValue) -> Result<(), String> {
    match value {
        ConfigValue::String(class) if ReferenceSubjectNameStrategy::of_class(class).is_some() => Ok(()),
        _ => {
            let known = ReferenceSubjectNameStrategy::CLASSES.map(|(name, _)| name);
            Err(format!("There is no such class here: use one of {}", known.join(", ")))
        }
    }
}

/// The settings of the mapping; see the keys of ProtobufConverter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProtobufSettings {
    /// `enhanced.protobuf.schema.support`
    pub(crate) enhanced: bool,
    /// `generalized.sum.type.support`
    pub(crate) generalized: bool,
    /// `scrub.invalid.names`
    pub(crate) scrub_names: bool,
    /// `int.for.enums`
    pub(crate) int_for_enums: bool,
    /// `optional.for.nullables`
    pub(crate) optional: bool,
    /// `optional.for.proto2`
    pub(crate) optional_proto2: bool,
    /// `wrapper.for.nullables`
    pub(crate) wrappers: bool,
    /// `wrapper.for.raw.primitives`
    pub(crate) raw_wrappers: bool,
    /// `generate.struct.for.nulls`
    pub(crate) struct_for_nulls: bool,
    /// `generate.index.for.unions`
    pub(crate) union_index: bool,
    /// `flatten.unions`
    pub(crate) flatten_unions: bool,
    /// `ignore.default.for.nullables`
    pub(crate) null_over_default: bool,
    /// `reference.subject.name.strategy`
    pub(crate) reference_subject: ReferenceSubjectNameStrategy,
    /// `skip.known.types`
    pub(crate) skip_known: bool,
}

impl ProtobufSettings {
    pub(crate) fn of(config: &Config) -> Self {
        let strategy = config.string(REFERENCE_SUBJECT).and_then(ReferenceSubjectNameStrategy::of_class);
        Self {
            enhanced: config.boolean(ENHANCED),
            generalized: config.boolean(GENERALIZED),
            scrub_names: config.boolean(SCRUB_NAMES),
            int_for_enums: config.boolean(INT_FOR_ENUMS),
            optional: config.boolean(OPTIONAL),
            optional_proto2: config.boolean(OPTIONAL_PROTO2),
            wrappers: config.boolean(WRAPPERS),
            raw_wrappers: config.boolean(RAW_WRAPPERS),
            struct_for_nulls: config.boolean(STRUCT_FOR_NULLS),
            union_index: config.boolean(UNION_INDEX),
            flatten_unions: config.boolean(FLATTEN_UNIONS),
            null_over_default: config.boolean(NULL_OVER_DEFAULT),
            reference_subject: strategy.unwrap_or(ReferenceSubjectNameStrategy::ReferenceName),
            skip_known: config.boolean(SKIP_KNOWN),
        }
    }

    /// A name as Protobuf allows it.
    ///
    /// # Errors
    /// It does not, and names are not rewritten.
    pub(crate) fn identifier(&self, name: &str) -> Result<String, String> {
        match (is_identifier(name), self.scrub_names) {
            (true, _) => Ok(name.to_owned()),
            (false, true) => Ok(scrubbed(name)),
            (false, false) => Err(format!(
                "`{name}` is no name in Protobuf, which allows letters, digits and `_`: rename it, or set `{SCRUB_NAMES}=true`"
            )),
        }
    }

    /// Whether a field of this name is called `proto` in Protobuf.
    pub(crate) fn name_is(&self, name: &str, proto: &str) -> bool {
        name == proto || (self.scrub_names && !is_identifier(name) && scrubbed(name) == proto)
    }

    /// The name of the field that the oneof of this place is.
    pub(crate) fn union_field(&self, oneof: &str, index: usize) -> String {
        if self.union_index { format!("{oneof}_{index}") } else { oneof.to_owned() }
    }
}
