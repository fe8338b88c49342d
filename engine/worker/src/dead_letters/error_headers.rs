//! The headers that say why a record was rejected (KIP-298), as they are written and as they are read.

use std::sync::Arc;

use volley_api::RawHeader;

/// What the names of all of them begin with.
pub(crate) const PREFIX: &str = "__connect.errors.";

/// Why a record was rejected, as far as its dead letter says it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reason {
    /// The topic that the record was consumed from; of a source's record, the topic that it was going to.
    pub topic: Option<String>,
    /// The partition that it was consumed from.
    pub partition: Option<i32>,
    /// Its offset there.
    pub offset: Option<i64>,
    /// Name of the connector that rejected it.
    pub connector: Option<String>,
    /// The task that rejected it.
    pub task: Option<String>,
    /// The stage that rejected it: `VALUE_CONVERTER`, …
    pub stage: Option<String>,
    /// Class of the component that rejected it.
    pub class: Option<String>,
    /// Java class of the exception.
    pub exception: Option<String>,
    /// Message of the exception.
    pub message: Option<String>,
    /// The innermost cause of the exception, with its class, which mostly says more than the message.
    pub cause: Option<String>,
    /// Whether the record is one of a source.
    pub is_of_source: bool,
}

impl Reason {
    /// What the headers say. The last header of a name counts: a letter that was rejected again has those of its first
    /// rejection before them. What cannot be read is left out.
    pub(crate) fn read(headers: &[RawHeader]) -> Self {
        let mut reason = Self::default();
        for header in headers {
            let Some(name) = header.name.strip_prefix(PREFIX) else { continue };
            let text = header.value.as_deref().map(|value| String::from_utf8_lossy(value).into_owned());
            reason.take(name, text);
        }
        reason
    }

    fn take(&mut self, name: &str, text: Option<String>) {
        match name {
            "topic" => self.topic = text,
            "partition" => {
                self.partition = text.and_then(|text| text.parse().ok());
                self.is_of_source = false;
            }
            "offset" => self.offset = text.and_then(|text| text.parse().ok()),
            "connector.name" => self.connector = text,
            "task.id" => self.task = text,
            "stage" => self.stage = text,
            "class.name" => self.class = text,
            "exception.class.name" => self.exception = text,
            "exception.message" => self.message = text,
            "exception.stacktrace" => self.cause = text.as_deref().and_then(innermost_cause),
            "source.partition" => {
                (self.partition, self.offset) = (None, None);
                self.is_of_source = true;
            }
            _ => {}
        }
    }
}

/// The header of this name and value.
pub(crate) fn header(name: &str, value: String) -> RawHeader {
    RawHeader { name: Arc::from(format!("{PREFIX}{name}")), value: Some(value.into_bytes()) }
}

/// Whether the header is about a rejection, and not the record's own.
pub(crate) fn is_about_rejection(header: &RawHeader) -> bool {
    header.name.starts_with(PREFIX)
}

fn innermost_cause(trace: &str) -> Option<String> {
    trace.lines().rev().find_map(|line| line.trim_start().strip_prefix("Caused by: ")).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(name: &str, value: &[u8]) -> RawHeader {
        RawHeader { name: Arc::from(format!("{PREFIX}{name}")), value: Some(value.to_vec()) }
    }

    #[test]
    fn what_was_written_is_read() {
        let written = [
            header("topic", "orders".to_owned()),
            header("partition", "3".to_owned()),
            header("offset", "1042".to_owned()),
            header("connector.name", "c".to_owned()),
            header("task.id", "0".to_owned()),
            header("stage", "VALUE_CONVERTER".to_owned()),
            header("class.name", "a.Converter".to_owned()),
            header("exception.class.name", "a.DataException".to_owned()),
            header("exception.message", "bad".to_owned()),
            header(
                "exception.stacktrace",
                "a.DataException: bad\n\tat x\nCaused by: b.E: 1\nCaused by: c.E: 2\n".into(),
            ),
        ];
        let text = |text: &str| Some(text.to_owned());
        let expected = Reason {
            topic: text("orders"),
            partition: Some(3),
            offset: Some(1042),
            connector: text("c"),
            task: text("0"),
            stage: text("VALUE_CONVERTER"),
            class: text("a.Converter"),
            exception: text("a.DataException"),
            message: text("bad"),
            cause: text("c.E: 2"),
            is_of_source: false,
        };
        assert_eq!(Reason::read(&written), expected);
    }

    #[test]
    fn of_a_record_that_was_rejected_twice_the_last_rejection_counts() {
        let of_source = [raw("topic", b"first"), raw("source.partition", b"{}"), raw("source.offset", b"{}")];
        let of_sink = [raw("topic", b"second"), raw("partition", b"7"), raw("offset", b"8")];
        let reason = Reason::read(&[of_source.clone(), of_sink.clone()].concat());
        let expected =
            Reason { topic: Some("second".into()), partition: Some(7), offset: Some(8), ..Reason::default() };
        assert_eq!(reason, expected);
        let reason = Reason::read(&[of_sink, of_source].concat());
        let expected = Reason { topic: Some("first".into()), is_of_source: true, ..Reason::default() };
        assert_eq!(reason, expected);
    }

    #[test]
    fn broken_headers_are_no_failure() {
        let null = RawHeader { name: Arc::from(format!("{PREFIX}exception.message")), value: None };
        let own = RawHeader { name: Arc::from("stage"), value: Some(b"own".to_vec()) };
        let headers =
            [raw("stage", &[0xff, b'x']), raw("partition", b"many"), raw("offset", b""), null, own, raw("", b"")];
        let reason = Reason::read(&headers);
        assert_eq!(reason, Reason { stage: Some("\u{fffd}x".into()), ..Reason::default() });
        assert_eq!(headers.iter().filter(|header| is_about_rejection(header)).count(), 5);
    }
}
