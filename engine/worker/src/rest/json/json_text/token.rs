//! The tokens of JSON.

/// A token.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    StartObject,
    EndObject,
    StartArray,
    EndArray,
    Field(String),
    Text(String),
    /// As written.
    Integer(String),
    /// As written.
    Float(String),
    True,
    False,
    Null,
}

impl Token {
    /// The library's name of the token.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::StartObject => "START_OBJECT",
            Self::EndObject => "END_OBJECT",
            Self::StartArray => "START_ARRAY",
            Self::EndArray => "END_ARRAY",
            Self::Field(_) => "FIELD_NAME",
            Self::Text(_) => "VALUE_STRING",
            Self::Integer(_) => "VALUE_NUMBER_INT",
            Self::Float(_) => "VALUE_NUMBER_FLOAT",
            Self::True => "VALUE_TRUE",
            Self::False => "VALUE_FALSE",
            Self::Null => "VALUE_NULL",
        }
    }

    /// The library's name for the kind of value that begins with the token.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::StartObject => "Object value",
            Self::StartArray => "Array value",
            Self::Text(_) => "String value",
            Self::Integer(_) => "Integer value",
            Self::Float(_) => "Floating-point value",
            Self::True | Self::False => "Boolean value",
            Self::Null => "Null value",
            Self::EndObject | Self::EndArray | Self::Field(_) => "value",
        }
    }
}
