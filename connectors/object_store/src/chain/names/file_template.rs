//! Names of files by a template such as `{{topic}}/{{timestamp:unit=yyyy}}/{{partition}}-{{start_offset:padding=true}}.gz`, as Aiven's
//! sinks have it.

use volley_api::TopicPartition;

use super::file_name::StreamKey;
use super::template_text::{TemplatePart, is_padded, template_parts};

/// Digits of a partition with `padding=true`.
pub(crate) const PARTITION_DIGITS: usize = 10;
/// Digits of an offset with `padding=true`.
const OFFSET_DIGITS: usize = 20;
/// The units of `{{timestamp:unit=…}}`, which are patterns of directories too.
const UNITS: [&str; 4] = ["yyyy", "MM", "dd", "HH"];

/// A template of the paths of files.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FileTemplate {
    before_offset: Vec<Part>,
    offset_digits: usize,
    after_offset: Vec<Part>,
    /// Each unit of time that occurs, once.
    units: Vec<&'static str>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Part {
    Text(String),
    Topic,
    Partition {
        digits: usize,
    },
    /// The directory's part of this number: see [`FileTemplate::time_path`].
    Time(usize),
}

/// The path of a stream's files, around the offset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AroundOffset {
    pub(crate) before: String,
    /// The offset is padded with zeros to so many digits.
    pub(crate) digits: usize,
    pub(crate) after: String,
}

impl FileTemplate {
    /// Reads a template.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut template =
            Self { before_offset: Vec::new(), offset_digits: 0, after_offset: Vec::new(), units: Vec::new() };
        for part in template_parts(text)? {
            match part {
                TemplatePart::Text(text) => template.add(Part::Text(text.to_owned())),
                TemplatePart::Variable { name, parameter } => template.add_variable(name, parameter)?,
            }
        }
        template.check()?;
        Ok(template)
    }

    /// The pattern of directories that gives this template its times; `None` if it has none.
    pub(crate) fn time_path(&self) -> Option<String> {
        (!self.units.is_empty()).then(|| self.units.join("/"))
    }

    /// Whether times change with the hour, not with the day only.
    pub(crate) fn is_hourly(&self) -> bool {
        self.units.contains(&"HH")
    }

    /// The path of a stream's files. `key.directory` MUST be one of [`FileTemplate::time_path`].
    pub(crate) fn around_offset(&self, key: &StreamKey, origin: &TopicPartition) -> AroundOffset {
        let times: Vec<_> = key.directory.split('/').collect();
        let text = |parts: &[Part]| -> String {
            let text = |part: &Part| match part {
                Part::Text(text) => text.clone(),
                Part::Topic => key.topic.to_string(),
                Part::Partition { digits } => format!("{:0digits$}", origin.partition),
                Part::Time(number) => times.get(*number).copied().unwrap_or_default().to_owned(),
            };
            parts.iter().map(text).collect()
        };
        AroundOffset { before: text(&self.before_offset), digits: self.offset_digits, after: text(&self.after_offset) }
    }

    fn add(&mut self, part: Part) {
        let parts = if self.offset_digits == 0 { &mut self.before_offset } else { &mut self.after_offset };
        parts.push(part);
    }

    fn add_variable(&mut self, name: &str, parameter: Option<&str>) -> Result<(), String> {
        let is_padded = if name == "timestamp" { false } else { is_padded(name, parameter)? };
        match name {
            "topic" => self.add(Part::Topic),
            "partition" => self.add(Part::Partition { digits: if is_padded { PARTITION_DIGITS } else { 1 } }),
            "start_offset" if self.offset_digits > 0 => return Err("`{{start_offset}}` stands twice".to_owned()),
            "start_offset" => self.offset_digits = if is_padded { OFFSET_DIGITS } else { 1 },
            "timestamp" => {
                let unit = parameter.and_then(|parameter| parameter.strip_prefix("unit="));
                let unit = UNITS.into_iter().find(|known| Some(*known) == unit).ok_or_else(|| {
                    "`{{timestamp}}` needs one of `:unit=yyyy`, `:unit=MM`, `:unit=dd` and `:unit=HH`".to_owned()
                })?;
                let known = self.units.iter().position(|known| *known == unit);
                let number = known.unwrap_or_else(|| {
                    self.units.push(unit);
                    self.units.len() - 1
                });
                self.add(Part::Time(number));
            }
            _ => {
                let known = "`{{topic}}`, `{{partition}}`, `{{start_offset}}`, `{{timestamp:unit=…}}` and `{{key}}`";
                return Err(format!("`{{{{{name}}}}}` is unknown; there are {known}"));
            }
        }
        Ok(())
    }

    fn check(&self) -> Result<(), String> {
        let all = || self.before_offset.iter().chain(&self.after_offset);
        let has_partition = all().any(|part| matches!(part, Part::Partition { .. }));
        if self.offset_digits == 0 || !has_partition || !all().any(|part| *part == Part::Topic) {
            return Err(
                "`{{topic}}`, `{{partition}}` and `{{start_offset}}` are all needed: else two files may have the \
                        same name"
                    .to_owned(),
            );
        }
        let is_apart = |part: Option<&Part>, letter: fn(&str) -> Option<char>| match part {
            None => true,
            Some(Part::Text(text)) => letter(text).is_some_and(|letter| !letter.is_ascii_digit()),
            Some(_) => false,
        };
        let last = |text: &str| text.chars().last();
        let first = |text: &str| text.chars().next();
        if !is_apart(self.before_offset.last(), last) || !is_apart(self.after_offset.first(), first) {
            return Err(
                "a text that is no digit has to stand between `{{start_offset}}` and what is beside it".to_owned()
            );
        }
        let mut texts = all().filter_map(|part| if let Part::Text(text) = part { Some(text) } else { None });
        if self.after_offset.iter().any(|part| matches!(part, Part::Text(text) if text.contains('/'))) {
            return Err("`{{start_offset}}` has to stand in the name of the file, behind the last `/`".to_owned());
        }
        let is_bad = |text: &String| text.contains("//") || text.contains(char::is_control) || text.contains('\\');
        if texts.any(is_bad) || matches!(self.before_offset.first(), Some(Part::Text(text)) if text.starts_with('/')) {
            return Err("a path of plain names, parted by `/`, is needed".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn around(template: &str, directory: &str) -> (String, usize, String) {
        let key = StreamKey { topic: Arc::from("orders"), directory: Arc::from(directory) };
        let template = FileTemplate::parse(template).unwrap();
        let around = template.around_offset(&key, &TopicPartition::new("in", 7));
        (around.before, around.digits, around.after)
    }

    #[test]
    fn names_are_those_of_aiven() {
        let text = str::to_owned;
        assert_eq!(
            around("{{topic}}-{{partition}}-{{start_offset}}.gz", "partition=7"),
            (text("orders-7-"), 1, text(".gz"))
        );
        let template = "lake/{{ topic }}/{{timestamp:unit=yyyy}}-{{timestamp:unit=MM}}/{{partition:padding=true}}+\
                        {{start_offset:padding=true}}_{{timestamp:unit=yyyy}}";
        assert_eq!(around(template, "2026/11"), (text("lake/orders/2026-11/0000000007+"), 20, text("_2026")));
        assert_eq!(FileTemplate::parse(template).unwrap().time_path().as_deref(), Some("yyyy/MM"));
    }

    #[test]
    fn templates_that_give_two_files_one_name_or_cannot_be_read_back_are_refused() {
        for (template, expected) in [
            ("{{topic}}-{{start_offset}}", "all needed"),
            ("{{topic}}-{{partition}}", "all needed"),
            ("{{topic}}-{{partition}}{{start_offset}}", "no digit"),
            ("{{topic}}-{{partition}}-{{start_offset}}0", "no digit"),
            ("{{topic}}/{{partition}}/{{start_offset}}/x", "in the name of the file"),
            ("{{topic}}-{{partition}}-{{start_offset}}-{{start_offset}}", "twice"),
            ("{{topic}}-{{partition}}-{{start_offset}}-{{x}}", "unknown"),
            ("{{topic}}-{{partition}}-{{start_offset}}-{{timestamp}}", ":unit=yyyy"),
            ("{{topic}}-{{partition:pad=1}}-{{start_offset}}", "padding=true"),
            ("/{{topic}}-{{partition}}-{{start_offset}}", "plain names"),
            ("{{topic}}-{{partition}}-{{start_offset", "not closed"),
        ] {
            let error = FileTemplate::parse(template).unwrap_err();
            assert!(error.contains(expected), "{template}: {error}");
        }
    }
}
