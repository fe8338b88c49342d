//! The input of a sink: either `topics` or `topics.regex`, and never its own dead letter topic.

use volley_java::JavaRegex;

use super::section::Section;

/// Checks the combination of a sink connector's topic keys.
pub(super) fn check_sink_topics(section: &mut Section) {
    let topics = section.list("topics").to_vec();
    let text = |key: &str| section.text(key).map(str::to_owned).filter(|text| !text.is_empty());
    let (regex, dead_letters) = (text("topics.regex"), text("errors.deadletterqueue.topic.name"));

    let contradiction = match (topics.is_empty(), &regex) {
        (false, Some(_)) => Some("topics and topics.regex are mutually exclusive options, but both are set."),
        (true, None) => Some("Must configure one of topics or topics.regex"),
        _ => None,
    };
    if let Some(message) = contradiction {
        section.error("topics", message);
        section.error("topics.regex", message);
        return;
    }
    let Some(dead_letters) = dead_letters else { return };
    if topics.contains(&dead_letters) {
        let message = format!(
            "The DLQ topic '{dead_letters}' may not be included in the list of topics ('topics=[{}]') consumed by the \
             connector",
            topics.join(", ")
        );
        section.error("topics", message);
    }
    let matches =
        |pattern: &String| JavaRegex::compile(pattern).is_ok_and(|regex| regex.matches(&dead_letters).unwrap_or(false));
    if let Some(pattern) = regex.filter(matches) {
        let message = format!(
            "The DLQ topic '{dead_letters}' may not be matched by the regex for the topics ('topics.regex={pattern}') \
             consumed by the connector"
        );
        section.error("topics.regex", message);
    }
}
