//! The names of the files of Confluent's sink for HDFS: `<topic>+<partition>+<first offset>+<last offset>.<extension>`.

/// Stands between the parts, whatever a configuration says.
const DELIMITER: char = '+';

/// What such a name says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct JavaName<'a> {
    pub(super) topic: &'a str,
    pub(super) partition: i32,
    /// Offset of the last row.
    pub(super) last: i64,
    /// The name without the last offset, which a file of ours with these rows claims.
    pub(super) claim: String,
}

impl<'a> JavaName<'a> {
    /// Reads a name as Java does; `None` if it is another kind of name.
    pub(super) fn parse(name: &'a str) -> Option<Self> {
        let (topic, rest) = name.split_once(DELIMITER)?;
        let (partition, rest) = rest.split_once(DELIMITER)?;
        let (first, rest) = rest.split_once(DELIMITER)?;
        let (last, extension) = rest.split_at(rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len()));
        let is_legal = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-');
        if topic.is_empty() || !topic.chars().all(is_legal) || !is_extension(extension) {
            return None;
        }
        number(first)?;
        Some(Self {
            topic,
            partition: i32::try_from(number(partition)?).ok()?,
            last: number(last)?,
            claim: format!("{topic}{DELIMITER}{partition}{DELIMITER}{first}{extension}"),
        })
    }
}

/// Nothing, or a point and one word.
fn is_extension(text: &str) -> bool {
    let is_word = |text: &str| text.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    text.is_empty() || text.strip_prefix('.').is_some_and(|word| !word.is_empty() && is_word(word))
}

fn number(digits: &str) -> Option<i64> {
    let is_number = digits.bytes().all(|digit| digit.is_ascii_digit());
    if is_number { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_java_reads_them_and_those_of_others_are_not() {
        let name = JavaName::parse("a.b_c-d+3+0000000042+0000000099.avro").unwrap();
        let claim = "a.b_c-d+3+0000000042.avro".to_owned();
        assert_eq!(name, JavaName { topic: "a.b_c-d", partition: 3, last: 99, claim });
        // another width, and no extension
        assert_eq!(JavaName::parse("t+0+5+7").unwrap().last, 7);
        for other in [
            "t+0+0000000042.avro",
            "t+0+5+7.snappy.parquet",
            "t+0+5+7.keys.avro",
            "t+0+5+7.",
            "t+0+5+.avro",
            "t+0+5+7+8.avro",
            "t+x+5+7.avro",
            "t+0+5+99999999999999999999.avro",
            "+0+5+7.avro",
            "t t+0+5+7.avro",
            "44444444-4444-4444-4444-444444444444_tmp.avro",
        ] {
            assert_eq!(JavaName::parse(other), None, "{other}");
        }
    }
}
