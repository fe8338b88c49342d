//! Names of files with `{{key}}` in them.

use volley_api::TopicPartition;

use crate::chain::{PARTITION_DIGITS, TemplatePart, is_padded, template_parts};

/// The longest name of an object in S3 and Google Cloud Storage, in bytes.
const MAX_LENGTH: usize = 1024;

/// A template of the paths of files, one for each key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyedTemplate(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Key,
    Topic,
    Partition { digits: usize },
}

impl KeyedTemplate {
    /// Reads a template; `None` if there is no `{{key}}` in it.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Option<Self>, String> {
        let parts = template_parts(text)?;
        if !parts.iter().any(|part| matches!(part, TemplatePart::Variable { name: "key", .. })) {
            return Ok(None);
        }
        let parts = parts.into_iter().map(|part| {
            Ok(match part {
                TemplatePart::Text(text) => Part::Text(text.to_owned()),
                TemplatePart::Variable { name: "key", .. } => Part::Key,
                TemplatePart::Variable { name: "topic", .. } => Part::Topic,
                TemplatePart::Variable { name: name @ "partition", parameter } => {
                    Part::Partition { digits: if is_padded(name, parameter)? { PARTITION_DIGITS } else { 1 } }
                }
                TemplatePart::Variable { name, .. } => {
                    return Err(format!(
                        "`{{{{{name}}}}}` does not go with `{{{{key}}}}`: a file of a key is named after the key, and \
                         `{{{{topic}}}}` and `{{{{partition}}}}` if wanted"
                    ));
                }
            })
        });
        let template = Self(parts.collect::<Result<_, String>>()?);
        // what is wrong with this one is wrong with all
        template.path("k", "t", &TopicPartition::new("t", 0)).map(|_| Some(template))
    }

    /// The path of a key's file.
    ///
    /// # Errors
    /// Says why it can be none.
    pub(crate) fn path(&self, key: &str, topic: &str, origin: &TopicPartition) -> Result<String, String> {
        let text = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Key => key.to_owned(),
            Part::Topic => topic.to_owned(),
            Part::Partition { digits } => format!("{:0digits$}", origin.partition),
        };
        let path: String = self.0.iter().map(text).collect();
        let is_bad = |part: &str| part.is_empty() || part == "." || part == ".." || part.contains(char::is_control);
        if path.split('/').any(is_bad) {
            return Err(format!("`{}` is not a path of plain names, parted by `/`", path.escape_default()));
        }
        if path.len() > MAX_LENGTH {
            return Err(format!("a path of {} bytes is too long: stores take {MAX_LENGTH}", path.len()));
        }
        Ok(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(template: &str, key: &str) -> Result<String, String> {
        KeyedTemplate::parse(template).unwrap().unwrap().path(key, "orders", &TopicPartition::new("in", 7))
    }

    #[test]
    fn names_are_those_of_aiven() {
        assert_eq!(path("k{{key}}", "x").unwrap(), "kx");
        assert_eq!(path("{{topic}}-{{partition}}-{{key}}.gz", "a b/c").unwrap(), "orders-7-a b/c.gz");
        assert_eq!(path("{{ topic }}/{{partition:padding=true}}/{{ key }}", "köln").unwrap(), "orders/0000000007/köln");
        assert_eq!(KeyedTemplate::parse("{{topic}}-{{partition}}-{{start_offset}}"), Ok(None));
    }

    #[test]
    fn keys_that_name_no_file_or_lead_elsewhere_are_refused() {
        for key in ["", "..", "../x", "a//b", "/a", "a/", "a\nb", "a\0"] {
            assert!(path("{{key}}", key).unwrap_err().contains("not a path"), "{key}");
        }
        assert!(path("k{{key}}", "").is_ok());
        assert!(path("{{key}}", &"x".repeat(1025)).unwrap_err().contains("1025 bytes"));
    }

    #[test]
    fn templates_with_what_does_not_go_with_a_key_are_refused() {
        for (template, expected) in [
            ("{{topic}}-{{partition}}-{{key}}-{{start_offset}}", "`{{start_offset}}` does not go with `{{key}}`"),
            ("{{key}}/{{timestamp:unit=yyyy}}", "`{{timestamp}}` does not go"),
            ("{{key}}-{{partition:pad=1}}", "padding=true"),
            ("/{{key}}", "not a path"),
            ("{{key}", "not closed"),
        ] {
            let error = KeyedTemplate::parse(template).unwrap_err();
            assert!(error.contains(expected), "{template}: {error}");
        }
    }
}
