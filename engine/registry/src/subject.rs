//! The name that a schema is kept under.

use volley_api::{Error, Result, Side};

use crate::artifact_naming::ArtifactNaming;

const PACKAGE: &str = "io.confluent.kafka.serializers.subject.";

/// How the subject of a schema is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SubjectNameStrategy {
    /// `<topic>-key` or `<topic>-value`.
    TopicName,
    /// The full name of the record.
    RecordName,
    /// `<topic>-<full name of the record>`.
    TopicRecordName,
}

impl SubjectNameStrategy {
    /// The strategies by their class names.
    pub(crate) const CLASSES: [(&'static str, Self); 3] = [
        ("TopicNameStrategy", Self::TopicName),
        ("RecordNameStrategy", Self::RecordName),
        ("TopicRecordNameStrategy", Self::TopicRecordName),
    ];

    /// The strategy of a Java class, named in full or without its package.
    pub fn of_class(class: &str) -> Option<Self> {
        let simple = class.strip_prefix(PACKAGE).unwrap_or(class);
        Self::CLASSES.into_iter().find(|(name, _)| *name == simple).map(|(_, strategy)| strategy)
    }

    /// Whether the subject depends on the name of the record.
    pub fn uses_record(self) -> bool {
        self != Self::TopicName
    }

    /// The subject of the schema of `side` in messages of `topic`. `record` is the full name of an Avro record or a Protobuf
    /// message, or the `title` of a JSON Schema.
    ///
    /// # Errors
    /// `Data` if the record's name is needed, and it has none.
    pub fn subject(self, topic: &str, side: Side, record: Option<&str>) -> Result<String> {
        let record = || record.filter(|name| !name.is_empty()).ok_or_else(|| nameless(self, topic, side));
        Ok(match self {
            Self::TopicName => format!("{topic}-{}", word(side)),
            Self::RecordName => record()?.to_owned(),
            Self::TopicRecordName => format!("{topic}-{}", record()?),
        })
    }
}

/// How the subject of a file is found that a Protobuf file imports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReferenceSubjectNameStrategy {
    /// The path of the import.
    ReferenceName,
    /// The path of the import with dots, without `.proto`.
    Qualified,
}

impl ReferenceSubjectNameStrategy {
    /// The strategies by their class names.
    pub const CLASSES: [(&'static str, Self); 2] = [
        ("DefaultReferenceSubjectNameStrategy", Self::ReferenceName),
        ("QualifiedReferenceSubjectNameStrategy", Self::Qualified),
    ];

    /// The strategy of a Java class, named in full or without its package.
    pub fn of_class(class: &str) -> Option<Self> {
        let simple = class.strip_prefix(PACKAGE).unwrap_or(class);
        Self::CLASSES.into_iter().find(|(name, _)| *name == simple).map(|(_, strategy)| strategy)
    }

    /// The subject of an import.
    pub fn subject(self, import: &str) -> String {
        match self {
            Self::ReferenceName => import.to_owned(),
            Self::Qualified => import.strip_suffix(".proto").unwrap_or(import).replace('/', "."),
        }
    }
}

/// How the subject of a schema is found in either registry.
#[derive(Clone, Debug, PartialEq)]
pub enum Naming {
    /// In one with Confluent's interface.
    Confluent(SubjectNameStrategy),
    /// In Apicurio's, which has artifacts.
    Apicurio(ArtifactNaming),
}

impl Naming {
    /// The subject of a schema; see [`SubjectNameStrategy::subject`].
    ///
    /// # Errors
    /// `Data` if the record's name is needed, and it has none.
    pub fn subject(&self, topic: &str, side: Side, record: Option<&str>) -> Result<String> {
        match self {
            Self::Confluent(strategy) => strategy.subject(topic, side, record),
            Self::Apicurio(naming) => naming.subject(topic, side, record),
        }
    }
}

fn word(side: Side) -> &'static str {
    match side {
        Side::Key => "key",
        Side::Value => "value",
    }
}

fn nameless(strategy: SubjectNameStrategy, topic: &str, side: Side) -> Error {
    let class = SubjectNameStrategy::CLASSES.iter().find(|(_, one)| *one == strategy).map_or("", |(name, _)| name);
    let side = word(side);
    Error::data(format!(
        "the schema of the {side} of a message for topic {topic} has no name, which {class} \
         (`{side}.subject.name.strategy`) makes the subject of: use records, or TopicNameStrategy"
    ))
    .with_exception("org.apache.kafka.common.errors.SerializationException")
}

#[cfg(test)]
mod tests {
    use volley_api::ErrorKind;

    use super::*;

    #[test]
    fn the_subject_is_made_as_the_strategy_says() {
        let subject = |class: &str| {
            SubjectNameStrategy::of_class(class).unwrap().subject("orders", Side::Value, Some("shop.Order")).unwrap()
        };
        assert_eq!(subject("io.confluent.kafka.serializers.subject.TopicNameStrategy"), "orders-value");
        assert_eq!(subject("io.confluent.kafka.serializers.subject.RecordNameStrategy"), "shop.Order");
        assert_eq!(subject("TopicRecordNameStrategy"), "orders-shop.Order");
        assert_eq!(SubjectNameStrategy::TopicName.subject("orders", Side::Key, None).unwrap(), "orders-key");
        assert_eq!(SubjectNameStrategy::of_class("com.acme.RecordNameStrategy"), None);
    }

    #[test]
    fn the_subject_of_an_import_is_its_path_or_that_with_dots() {
        let subject = |class: &str| ReferenceSubjectNameStrategy::of_class(class).unwrap().subject("a/b/c.proto");
        let default = "io.confluent.kafka.serializers.subject.DefaultReferenceSubjectNameStrategy";
        assert_eq!(subject(default), "a/b/c.proto");
        assert_eq!(subject("QualifiedReferenceSubjectNameStrategy"), "a.b.c");
        assert_eq!(ReferenceSubjectNameStrategy::of_class("com.acme.Mine"), None);
    }

    #[test]
    fn a_schema_without_a_name_has_no_subject_by_record() {
        for strategy in [SubjectNameStrategy::RecordName, SubjectNameStrategy::TopicRecordName] {
            for name in [None, Some("")] {
                let error = strategy.subject("orders", Side::Key, name).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Data);
                assert!(error.to_string().contains("`key.subject.name.strategy`"), "{error}");
            }
        }
    }
}
