//! A place in the text of a path.

/// What is not accepted, with its place.
pub(super) type Refused = String;

#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    pub(super) fn skip_blanks(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.next();
        }
    }

    /// Goes behind a token if it is next.
    pub(super) fn takes(&mut self, token: &str) -> bool {
        let is_next = self.rest().starts_with(token);
        if is_next {
            self.at += token.len();
        }
        is_next
    }

    /// Goes behind a token that must be next.
    pub(super) fn expect(&mut self, token: &str) -> Result<(), Refused> {
        match self.takes(token) {
            true => Ok(()),
            false => Err(self.refused(&format!("`{token}` is missing"))),
        }
    }

    /// What is next, as long as it is meant.
    pub(super) fn take_while(&mut self, is_meant: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let len = rest.find(|next| !is_meant(next)).unwrap_or(rest.len());
        self.at += len;
        &rest[..len]
    }

    /// Places count characters, from 1 on.
    pub(super) fn refused(&self, what: &str) -> Refused {
        format!("{what}, at character {} of `{}`", self.text[..self.at].chars().count() + 1, self.text)
    }
}
