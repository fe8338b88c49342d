//! Where a registry is.

use std::fmt;

use url::Url;
use volley_api::Secret;

use crate::coordinates::decoded;

/// The URL of a registry, which may have a path. `Display` and `Debug` do not show its user and password.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct BaseUrl {
    /// Without user, password, query and fragment.
    pub(crate) url: Url,
    /// `user:password`, decoded.
    pub(crate) user_info: Option<Secret>,
    /// Ends without a slash.
    path: String,
}

impl BaseUrl {
    /// Parses an http or https URL. The reason quotes none of it: it may hold a password.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut url = Url::parse(text).map_err(|error| format!("it is no URL: {error}"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err("it does not begin with http:// or https://".to_owned());
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err("it has a query or a fragment, and paths are to be added to it".to_owned());
        }
        let user_info = match (url.username(), url.password()) {
            ("", None) => None,
            (user, None) => Some(decoded(user)),
            (user, Some(password)) => Some(format!("{}:{}", decoded(user), decoded(password))),
        };
        // Neither fails: http URLs have hosts.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        let path = url.path().trim_end_matches('/').to_owned();
        Ok(Self { url, user_info: user_info.map(Secret::new), path })
    }

    /// The same URL with a path behind its own, unless that contains it.
    pub(crate) fn within(mut self, path: &str) -> Self {
        if !self.path.contains(path) {
            self.path.push_str(path);
            self.url.set_path(&self.path);
        }
        self
    }

    /// Whether its path contains another one.
    pub(crate) fn contains(&self, path: &str) -> bool {
        self.path.contains(path)
    }

    /// Its path with another one added, which begins with a slash.
    pub(crate) fn target(&self, path: &str) -> String {
        format!("{}{path}", self.path)
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.url.as_str().trim_end_matches('/'))
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_added_to_the_path() {
        for (url, target) in [
            ("http://h:1", "/subjects"),
            ("http://h:1/", "/subjects"),
            ("https://h/apis/ccompat/v7", "/apis/ccompat/v7/subjects"),
            ("https://h/apis/ccompat/v7//", "/apis/ccompat/v7/subjects"),
        ] {
            assert_eq!(BaseUrl::parse(url).unwrap().target("/subjects"), target);
        }
    }

    #[test]
    fn user_and_password_are_taken_out_and_decoded() {
        let url = BaseUrl::parse("http://al%40ice:p%3Aw%zz@h:1/p").unwrap();
        assert_eq!(url.user_info.as_ref().unwrap().reveal(), "al@ice:p:w%zz");
        assert_eq!(format!("{url} {url:?}"), "http://h:1/p http://h:1/p");
        assert_eq!(BaseUrl::parse("http://alice@h").unwrap().user_info.unwrap().reveal(), "alice");
        assert_eq!(BaseUrl::parse("http://h").unwrap().user_info, None);
    }

    #[test]
    fn what_is_no_base_is_refused_without_quoting_it() {
        for url in ["", "h:8081", "ftp://u:hush@h", "http://u:hush@h/?a=b", "http://u:hush@h/#a", "http://u:hush@"] {
            assert!(!BaseUrl::parse(url).unwrap_err().contains("hush"), "{url}");
        }
    }
}
