//! The artifact that Apicurio's registry keeps a schema under.

use volley_api::{Error, Result, Side};

use crate::coordinates::Coordinates;

/// What the artifact of a schema is called after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ArtifactStrategy {
    /// `<topic>-key` or `<topic>-value`.
    Topic,
    /// The topic.
    SimpleTopic,
    /// The namespace of the record is the group, its name the artifact.
    Record,
    /// The same with `<topic>-` before the name.
    TopicRecord,
    /// The full name of the record.
    QualifiedRecord,
}

impl ArtifactStrategy {
    /// The strategies by their class names, without packages: these have changed with the versions.
    pub(crate) const CLASSES: [(&'static str, Self); 5] = [
        ("TopicIdStrategy", Self::Topic),
        ("SimpleTopicIdStrategy", Self::SimpleTopic),
        ("RecordIdStrategy", Self::Record),
        ("TopicRecordIdStrategy", Self::TopicRecord),
        ("QualifiedRecordIdStrategy", Self::QualifiedRecord),
    ];
}

/// How the artifact of a schema is found.
#[derive(Clone, Debug, PartialEq)]
pub struct ArtifactNaming {
    pub(crate) strategy: ArtifactStrategy,
    /// What is said whatever the strategy says.
    pub(crate) group: Option<String>,
    pub(crate) artifact: Option<String>,
    pub(crate) version: Option<String>,
}

impl ArtifactNaming {
    /// The subject of the schema of `side` in messages of `topic`; see [`Coordinates`].
    pub(crate) fn subject(&self, topic: &str, side: Side, record: Option<&str>) -> Result<String> {
        let mut coordinates = match (self.named(topic, side, record), &self.artifact) {
            (Ok(coordinates), None) => coordinates,
            (Ok(coordinates), Some(artifact)) => Coordinates { artifact: artifact.clone(), ..coordinates },
            (Err(_), Some(artifact)) => Coordinates::new(None, artifact),
            (Err(error), None) => return Err(error),
        };
        if let Some(group) = &self.group {
            coordinates.group.clone_from(group);
        }
        coordinates.version.clone_from(&self.version);
        Ok(coordinates.to_string())
    }

    fn named(&self, topic: &str, side: Side, record: Option<&str>) -> Result<Coordinates> {
        let record = || record.filter(|name| !name.is_empty()).ok_or_else(|| nameless(topic));
        let parted = |name: &str| {
            let (group, name) = name.rsplit_once('.').map_or((None, name), |(group, name)| (Some(group), name));
            (group.map(str::to_owned), name.to_owned())
        };
        Ok(match self.strategy {
            ArtifactStrategy::Topic => match side {
                Side::Key => Coordinates::new(None, &format!("{topic}-key")),
                Side::Value => Coordinates::new(None, &format!("{topic}-value")),
            },
            ArtifactStrategy::SimpleTopic => Coordinates::new(None, topic),
            ArtifactStrategy::QualifiedRecord => Coordinates::new(None, record()?),
            ArtifactStrategy::Record => {
                let (group, name) = parted(record()?);
                Coordinates::new(group.as_deref(), &name)
            }
            ArtifactStrategy::TopicRecord => {
                let (group, name) = parted(record()?);
                Coordinates::new(group.as_deref(), &format!("{topic}-{name}"))
            }
        })
    }
}

fn nameless(topic: &str) -> Error {
    Error::data(format!(
        "the schema of a message for topic {topic} has no name, which `apicurio.registry.artifact-resolver-strategy` makes \
         the artifact of: use records, or TopicIdStrategy"
    ))
    .with_exception("org.apache.kafka.common.errors.SerializationException")
}

#[cfg(test)]
mod tests {
    use volley_api::ErrorKind;

    use super::*;

    fn naming(strategy: ArtifactStrategy) -> ArtifactNaming {
        ArtifactNaming { strategy, group: None, artifact: None, version: None }
    }

    #[test]
    fn the_artifact_is_called_as_the_strategy_says() {
        for ((class, strategy), subject) in ArtifactStrategy::CLASSES.into_iter().zip([
            "default/orders-value",
            "default/orders",
            "eu.shop/Order",
            "eu.shop/orders-Order",
            "default/eu.shop.Order",
        ]) {
            let found = naming(strategy).subject("orders", Side::Value, Some("eu.shop.Order")).unwrap();
            assert_eq!(found, subject, "{class}");
        }
        assert_eq!(naming(ArtifactStrategy::Topic).subject("t", Side::Key, None).unwrap(), "default/t-key");
        assert_eq!(naming(ArtifactStrategy::Record).subject("t", Side::Key, Some("R")).unwrap(), "default/R");
    }

    #[test]
    fn what_is_said_comes_before_the_strategy() {
        let said = ArtifactNaming {
            group: Some("g".to_owned()),
            artifact: Some("a".to_owned()),
            version: Some("1.0".to_owned()),
            ..naming(ArtifactStrategy::Record)
        };
        assert_eq!(said.subject("t", Side::Value, None).unwrap(), "g/a@1.0");
        let group = ArtifactNaming { group: Some("g".to_owned()), ..naming(ArtifactStrategy::Record) };
        assert_eq!(group.subject("t", Side::Value, Some("x.R")).unwrap(), "g/R");
    }

    #[test]
    fn a_schema_without_a_name_has_no_artifact_by_record() {
        for name in [None, Some("")] {
            let error = naming(ArtifactStrategy::Record).subject("orders", Side::Key, name).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Data);
            assert!(error.to_string().contains("`apicurio.registry.artifact-resolver-strategy`"), "{error}");
        }
    }
}
