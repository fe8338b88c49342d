//! A schema as the registry keeps it: a text, and what that text refers to.

use std::fmt;
use std::sync::Arc;

use uuid::Uuid;

/// The language of a schema; `Display` gives the registry's name for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SchemaKind {
    /// Apache Avro, in JSON.
    Avro,
    /// Protocol Buffers, a `.proto` file.
    Protobuf,
    /// JSON Schema.
    Json,
    /// Connect's own, in the JSON form of JsonConverter. Only Apicurio's registry has it.
    Connect,
}

impl SchemaKind {
    /// The kind that the registry names so; it leaves the name out for Avro.
    pub fn named(name: Option<&str>) -> Option<Self> {
        match name {
            None | Some("AVRO") => Some(Self::Avro),
            Some("PROTOBUF") => Some(Self::Protobuf),
            Some("JSON") => Some(Self::Json),
            Some(_) => None,
        }
    }
}

impl fmt::Display for SchemaKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Avro => "AVRO",
            Self::Protobuf => "PROTOBUF",
            Self::Json => "JSON",
            Self::Connect => "KCONNECT",
        })
    }
}

/// Another schema that a schema needs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reference {
    /// How the schema calls it: the full name of a type (Avro), the path of an import (Protobuf), a URL (JSON Schema).
    pub name: String,
    /// The subject that it is kept under.
    pub subject: String,
    /// Its version there.
    pub version: i32,
}

/// A schema.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Schema {
    /// Its language.
    pub kind: SchemaKind,
    /// Its text.
    pub text: String,
    /// What it needs.
    pub references: Vec<Reference>,
}

impl Schema {
    /// A schema that needs no other.
    pub fn new(kind: SchemaKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into(), references: Vec::new() }
    }
}

/// A schema with its place in the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisteredSchema {
    /// The subject that it was asked for under.
    pub subject: String,
    /// Its id in messages; 0 in Apicurio's registry, which has others.
    pub id: i32,
    /// Its ids in Apicurio's registry.
    pub artifact: Option<ArtifactIds>,
    /// Its id in headers; `None` if the registry has no such ids, or did not say.
    pub guid: Option<Uuid>,
    /// Its version under the subject; `None` if the registry did not say, as many do after a registration.
    pub version: Option<i32>,
    /// The schema.
    pub schema: Arc<Schema>,
}

/// The ids that Apicurio's registry gives to a version of an artifact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArtifactIds {
    /// Of the version.
    pub global: i64,
    /// Of its content.
    pub content: i64,
}

/// Which version of a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Version {
    /// The newest.
    Latest,
    /// This one; they count from 1.
    Number(i32),
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Latest => f.write_str("latest"),
            Self::Number(number) => write!(f, "{number}"),
        }
    }
}
