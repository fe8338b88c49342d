//! PEM text in a property value: Java accepts it on one line, OpenSSL wants the lines of RFC 7468.

const LINE: usize = 64;

/// The same PEM blocks, each base64 body broken into lines. Text that is no PEM block is left out; a body with headers
/// (an old encrypted key) is left as it is.
pub fn pem_with_line_breaks(text: &str) -> String {
    let mut normal = String::with_capacity(text.len() + text.len() / LINE + 2);
    let mut rest = text;
    while let Some((block, after)) = next_block(rest) {
        normal.push_str(&block);
        rest = after;
    }
    normal
}

fn next_block(text: &str) -> Option<(String, &str)> {
    let begin = text.find("-----BEGIN ")?;
    let label_end = begin + 11 + text[begin + 11..].find("-----")?;
    let label = &text[begin + 11..label_end];
    let footer = format!("-----END {label}-----");
    let body_start = label_end + 5;
    let body_end = body_start + text[body_start..].find(&footer)?;
    let body = &text[body_start..body_end];
    let body = if body.contains(':') { format!("{}\n", body.trim()) } else { broken(body) };
    Some((format!("-----BEGIN {label}-----\n{body}{footer}\n"), &text[body_end + footer.len()..]))
}

fn broken(body: &str) -> String {
    let mut lines = String::with_capacity(body.len() + body.len() / LINE + 1);
    let mut column = 0;
    for c in body.chars().filter(|c| !c.is_whitespace()) {
        if column == LINE {
            lines.push('\n');
            column = 0;
        }
        lines.push(c);
        column += 1;
    }
    lines.push('\n');
    lines
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::pem_with_line_breaks;

    #[test]
    fn one_line_becomes_many() {
        let body = "A".repeat(100);
        let text = format!(
            "-----BEGIN CERTIFICATE----- {body} -----END CERTIFICATE----- -----BEGIN X-----\nQQ==\n-----END X-----"
        );
        let expected = format!(
            "-----BEGIN CERTIFICATE-----\n{}\n{}\n-----END CERTIFICATE-----\n-----BEGIN X-----\nQQ==\n-----END X-----\n",
            "A".repeat(64),
            "A".repeat(36)
        );
        assert_eq!(pem_with_line_breaks(&text), expected);
    }

    proptest! {
        #[test]
        fn normalising_twice_changes_nothing(text in "(-----BEGIN A-----)?[A-Za-z0-9+/= :\n]{0,300}(-----END A-----)?.{0,20}") {
            let once = pem_with_line_breaks(&text);
            prop_assert_eq!(pem_with_line_breaks(&once), once);
        }
    }
}
