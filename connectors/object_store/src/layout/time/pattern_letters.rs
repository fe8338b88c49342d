//! Patterns of dates and times, taken apart as Joda-Time does.

/// A piece of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Text that stands for itself.
    Literal(String),
    /// A letter, and how many times it stands there.
    Letters(char, usize),
}

/// The pieces of a pattern. Letters mean something outside of apostrophes. Two apostrophes are one; a part in
/// apostrophes may lack the last one.
pub(crate) fn pieces(pattern: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut is_quoted = false;
    let mut rest = pattern.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '\'' if rest.next_if_eq(&'\'').is_some() => literal.push('\''),
            '\'' => is_quoted = !is_quoted,
            letter if letter.is_ascii_alphabetic() && !is_quoted => {
                if !literal.is_empty() {
                    pieces.push(Piece::Literal(std::mem::take(&mut literal)));
                }
                let more = std::iter::from_fn(|| rest.next_if_eq(&letter)).count();
                pieces.push(Piece::Letters(letter, more + 1));
            }
            other => literal.push(other),
        }
    }
    if !literal.is_empty() {
        pieces.push(Piece::Literal(literal));
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(pattern: &str) -> String {
        let shown = pieces(pattern).into_iter().map(|piece| match piece {
            Piece::Literal(text) => format!("[{text}]"),
            Piece::Letters(letter, count) => format!("{letter}{count}"),
        });
        shown.collect()
    }

    #[test]
    fn letters_count_outside_of_apostrophes() {
        assert_eq!(shown("'year'=YYYY/'month'=MM"), "[year=]Y4[/month=]M2");
        assert_eq!(shown("YYYYMMdd"), "Y4M2d2");
        assert_eq!(shown("'it''s' ''d''"), "[it's ']d1[']");
        assert_eq!(shown("'open y"), "[open y]");
        assert_eq!(shown("yyyy'"), "y4");
        assert_eq!(shown("''''"), "['']");
        assert_eq!(shown("年M-éd"), "[年]M1[-é]d1");
        assert_eq!(shown(""), "");
    }
}
