//! What it means when a registry does not give what is asked for.

use volley_api::Error;

use super::authorization::Authorization;
use super::exchange::Answered;
use super::rest_answer::{BadAnswer, Complaint, complaint};
use crate::SchemaId;
use crate::config::{BaseUrl, KeyWords};
use crate::question::Question;

/// A question that was asked, and whom.
#[derive(Clone, Copy, Debug)]
pub(super) struct Talk<'a> {
    pub(super) question: &'a Question<'a>,
    pub(super) url: &'a BaseUrl,
    pub(super) authorization: &'a Authorization,
}

impl Talk<'_> {
    /// The error that an answer means whose status is not 200.
    pub(super) fn refusal(&self, answered: &Answered) -> Error {
        let Self { question, url, authorization } = self;
        let words = authorization.words();
        let (config, data) = (|text| config(text, words), |text| data(text, words));
        let complaint = complaint(&answered.body);
        let detail = self.detail(&complaint);
        let status = answered.status;
        match status {
            401 | 403 | 407 => config(format!(
                "the Schema Registry {url} (`{}`) refuses the client: it answers {status}{detail}; {}",
                words.url,
                authorization.advice(url)
            )),
            404 if self.is_missing(&complaint) => question.missing(&url.to_string(), &detail, words),
            409 if complaint.is_conflict() => {
                data(format!("the Schema Registry {url} does not take {question}: it is there already{detail}"))
            }
            409 => data(format!(
                "the Schema Registry {url} takes {question} for incompatible with those before it{detail}"
            )),
            400 | 413 | 422 => {
                data(format!("the Schema Registry {url} does not take {question}: it answers {status}{detail}"))
            }
            _ => config(format!(
                "the Schema Registry {url} (`{}`) answers {status}{detail}: is there a registry with {} under this URL, \
                 and is its path complete?",
                words.url, words.interface
            )),
        }
    }

    /// The error that an answer means that cannot be used.
    pub(super) fn unusable(&self, bad: BadAnswer) -> Error {
        let Self { question, url, authorization } = self;
        let words = authorization.words();
        let (config, data) = (|text| config(text, words), |text| data(text, words));
        match bad {
            BadAnswer::UnknownKind(kind) => {
                let kind: String = kind.chars().filter(|c| !c.is_control()).take(100).collect();
                data(format!(
                    "{question} is of type {kind}, which is not known here: known are AVRO, PROTOBUF and JSON"
                ))
            }
            BadAnswer::NoRegistry(reason) => config(format!(
                "what answers at {url} (`{}`) is no Schema Registry with {}: {reason}",
                words.url, words.interface
            )),
        }
    }

    /// Whether a 404 is about what was asked for, and not about the path. An old registry does not know the path of GUIDs.
    fn is_missing(&self, complaint: &Complaint) -> bool {
        let by_guid = matches!(self.question, Question::Schema(SchemaId::Guid(_)));
        by_guid || complaint.is_missing() || complaint.code.is_some_and(|code| (40_400..40_500).contains(&code))
    }

    /// What the registry says, in Java's form.
    fn detail(&self, complaint: &Complaint) -> String {
        let message = self.authorization.without_secrets(self.url, complaint.message.clone());
        match (message.as_str(), complaint.code.filter(|code| *code != 0)) {
            ("", None) => String::new(),
            ("", Some(code)) => format!(" (error code: {code})"),
            (message, None) => format!(" ({message})"),
            (message, Some(code)) => format!(" ({message}; error code: {code})"),
        }
    }
}

fn config(message: String, words: &KeyWords) -> Error {
    Error::config(message).with_exception(words.exception)
}

fn data(message: String, words: &KeyWords) -> Error {
    Error::data(message).with_exception(words.exception)
}
