//! The types that values can be cast to, and what the user wants cast.

use arrow::datatypes::DataType;
use volley_api::{ConfigValue, Error, Result};
use volley_java::sort_in_hash_order;

/// A type to cast to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CastType {
    Int8,
    Int16,
    Int32,
    Int64,
    Float32,
    Float64,
    Boolean,
    String,
}

const OUTPUTS: &str = "[INT8, INT16, INT32, INT64, FLOAT32, FLOAT64, BOOLEAN, STRING]";

impl CastType {
    pub(crate) fn data_type(self) -> DataType {
        match self {
            Self::Int8 => DataType::Int8,
            Self::Int16 => DataType::Int16,
            Self::Int32 => DataType::Int32,
            Self::Int64 => DataType::Int64,
            Self::Float32 => DataType::Float32,
            Self::Float64 => DataType::Float64,
            Self::Boolean => DataType::Boolean,
            Self::String => DataType::Utf8,
        }
    }

    fn parse(text: &str) -> Result<Self> {
        let name = text.trim().to_uppercase();
        Ok(match name.as_str() {
            "INT8" => Self::Int8,
            "INT16" => Self::Int16,
            "INT32" => Self::Int32,
            "INT64" => Self::Int64,
            "FLOAT32" => Self::Float32,
            "FLOAT64" => Self::Float64,
            "BOOLEAN" => Self::Boolean,
            "STRING" => Self::String,
            "BYTES" | "ARRAY" | "MAP" | "STRUCT" => {
                return Err(Error::config(format!(
                    "Cast transformation does not support casting to {name}; supported types are {OUTPUTS}"
                )));
            }
            _ => {
                return Err(Error::config(format!(
                    "Invalid value java.lang.IllegalArgumentException: No enum constant \
                     org.apache.kafka.connect.data.Schema.Type.{name} for configuration \
                     Invalid type found in casting spec: {}",
                    text.trim()
                )));
            }
        })
    }
}

/// What is to be cast.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CastSpec {
    Whole(CastType),
    /// Fields, each once, in the order of Java's map: of several errors the first is told.
    Fields(Vec<(String, CastType)>),
}

impl CastSpec {
    /// `f1:int8,f2:string`, or one type for the whole.
    ///
    /// # Errors
    /// `Config` for anything else.
    pub(crate) fn parse(items: &[String]) -> Result<Self> {
        let (mut whole, mut fields) = (None, Vec::new());
        for item in items {
            match item.trim_end_matches(':').split(':').collect::<Vec<_>>()[..] {
                [text] => whole = Some(CastType::parse(text)?),
                [name, text] => {
                    let target = CastType::parse(text)?;
                    fields.retain(|(known, _)| known != name.trim());
                    fields.push((name.trim().to_owned(), target));
                }
                _ => {
                    return Err(Error::config(format!(
                        "Invalid value [{}] for configuration renames: Invalid rename mapping: {item}",
                        items.join(", ")
                    )));
                }
            }
        }
        match whole {
            Some(target) if items.len() == 1 => Ok(Self::Whole(target)),
            Some(_) => Err(Error::config(
                "Cast transformations that specify a type to cast the entire value to may only specify a single cast in their spec",
            )),
            None if fields.is_empty() => Err(Error::config("Must specify at least one field to cast.")),
            None => {
                sort_in_hash_order(&mut fields, |(name, _)| name);
                Ok(Self::Fields(fields))
            }
        }
    }

    /// The type for a field.
    pub(crate) fn of_field(&self, name: &str) -> Option<CastType> {
        match self {
            Self::Whole(_) => None,
            Self::Fields(fields) => fields.iter().find(|(known, _)| known == name).map(|(_, target)| *target),
        }
    }
}

/// As Java's validator, which looks at the pairs and not at the types.
pub(crate) fn validate_spec(value: &ConfigValue) -> std::result::Result<(), String> {
    let ConfigValue::List(items) = value else { return Err("Must specify at least one field to cast.".to_owned()) };
    CastSpec::parse(items).map(drop).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> std::result::Result<CastSpec, String> {
        let items: Vec<String> = text.split(',').filter(|item| !item.is_empty()).map(str::to_owned).collect();
        CastSpec::parse(&items).map_err(|error| error.to_string())
    }

    #[test]
    fn a_spec_is_one_type_or_fields_with_types() {
        assert_eq!(parse("int8"), Ok(CastSpec::Whole(CastType::Int8)));
        assert_eq!(parse("a: INT8 "), Ok(CastSpec::Fields(vec![("a".into(), CastType::Int8)])));
        assert_eq!(parse("a:int8,a:string"), Ok(CastSpec::Fields(vec![("a".into(), CastType::String)])));
        assert_eq!(parse("").unwrap_err(), "Must specify at least one field to cast.");
        assert!(parse("int8,a:int8").unwrap_err().contains("may only specify a single cast"));
        assert!(parse("a:b:c").unwrap_err().contains("Invalid rename mapping: a:b:c"));
        assert!(parse("a:bytes").unwrap_err().starts_with("Cast transformation does not support casting to BYTES"));
        assert!(parse("a:").unwrap_err().ends_with("Invalid type found in casting spec: a"));
    }
}
