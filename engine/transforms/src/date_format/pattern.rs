//! Patterns: letters that stand for fields, and text between them.

use super::century::Century;
use crate::clock::now_ms;

const LETTERS: &str = "GyMdkHmsSEDFwWahKzZYuXL";

/// A part of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// A letter, and how often it stands there.
    Field(char, usize),
    /// A character that stands for itself.
    Literal(char),
}

impl Token {
    /// Whether it stands for a number.
    pub(crate) fn is_number(&self) -> bool {
        match self {
            Self::Field('M' | 'L', count) => *count <= 2,
            Self::Field(letter, _) => !matches!(letter, 'G' | 'E' | 'a' | 'z' | 'Z' | 'X'),
            Self::Literal(_) => false,
        }
    }
}

/// A pattern and what it consists of.
#[derive(Clone, Debug)]
pub(crate) struct DateFormat {
    pub(crate) pattern: String,
    pub(crate) tokens: Vec<Token>,
    /// What years of two digits are of; set once, as in Java.
    pub(crate) century: Century,
}

impl DateFormat {
    /// Reads a pattern.
    ///
    /// # Errors
    /// The message of Java's IllegalArgumentException.
    pub(crate) fn of(pattern: &str) -> Result<Self, String> {
        Self::at(pattern, now_ms())
    }

    /// Reads a pattern at a time, in milliseconds since 1970-01-01 UTC.
    ///
    /// # Errors
    /// As above.
    pub(crate) fn at(pattern: &str, now: i64) -> Result<Self, String> {
        let mut tokens: Vec<Token> = Vec::new();
        let mut characters = pattern.chars().peekable();
        let mut is_quoted = false;
        while let Some(character) = characters.next() {
            if character == '\'' {
                match characters.next_if_eq(&'\'') {
                    Some(_) => tokens.push(Token::Literal('\'')),
                    None => is_quoted = !is_quoted,
                }
            } else if is_quoted || !character.is_ascii_alphabetic() {
                tokens.push(Token::Literal(character));
            } else if LETTERS.contains(character) {
                let mut count = 1;
                while characters.next_if_eq(&character).is_some() {
                    count += 1;
                }
                if character == 'X' && count > 3 {
                    return Err(format!("invalid ISO 8601 format: length={count}"));
                }
                tokens.push(Token::Field(character, count));
            } else {
                return Err(format!("Illegal pattern character '{character}'"));
            }
        }
        match is_quoted {
            true => Err("Unterminated quote".to_owned()),
            false => Ok(Self { pattern: pattern.to_owned(), tokens, century: Century::around(now) }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_letters_are_read_as_in_java() {
        let tokens = |pattern: &str| DateFormat::of(pattern).map(|format| format.tokens);
        assert_eq!(
            tokens("yyyy'''T 'X"),
            Ok(vec![
                Token::Field('y', 4),
                Token::Literal('\''),
                Token::Literal('T'),
                Token::Literal(' '),
                Token::Field('X', 1)
            ])
        );
        assert_eq!(tokens("qq"), Err("Illegal pattern character 'q'".to_owned()));
        assert_eq!(tokens("yyyy 'x"), Err("Unterminated quote".to_owned()));
        assert_eq!(tokens("XXXX"), Err("invalid ISO 8601 format: length=4".to_owned()));
    }
}
