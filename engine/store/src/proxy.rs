//! The proxy in front of an object store.

use url::Url;
use volley_api::{Config, ConfigIssue, ConfigKey, ConfigType, ConfigValue, Importance, Secret, Validator};

const PROXY_URL: &str = "store.proxy.url";
const PROXY_USER: &str = "store.proxy.user";
const PROXY_PASSWORD: &str = "store.proxy.password";

/// The URL of the proxy, with user and password in it; `None`: there is none.
pub(crate) fn proxy_url(config: &Config) -> Option<Secret> {
    let mut url = Url::parse(config.string(PROXY_URL)?).ok()?;
    if let Some(user) = config.string(PROXY_USER).filter(|user| !user.is_empty()) {
        let password = config.password(PROXY_PASSWORD).map(Secret::reveal).filter(|password| !password.is_empty());
        // a URL with a host takes both
        url.set_username(user).and_then(|()| url.set_password(password)).ok()?;
    }
    Some(Secret::new(url))
}

/// What is wrong with keys that depend on each other.
pub(crate) fn proxy_issues(config: &Config) -> Vec<ConfigIssue> {
    let is_given = |key: &str| config.string(key).is_some_and(|text| !text.is_empty());
    if is_given(PROXY_USER) && !is_given(PROXY_URL) {
        let message = format!("`{PROXY_URL}` is needed together with `{PROXY_USER}`");
        return vec![ConfigIssue::new(PROXY_URL, message)];
    }
    Vec::new()
}

/// The keys, in the order in which they are shown.
pub(crate) fn proxy_keys() -> Vec<ConfigKey> {
    use ConfigType::{Password, String};
    use Importance::Low;
    vec![
        ConfigKey::optional(
            PROXY_URL,
            String,
            Low,
            "URL of the HTTP proxy through which the object store is reached, such as `http://proxy:3128`. Without it, the \
             environment variables (HTTPS_PROXY and others).",
        )
        .validated(Validator::custom(check_proxy_url)),
        ConfigKey::optional(PROXY_USER, String, Low, "User at the proxy."),
        ConfigKey::optional(PROXY_PASSWORD, Password, Low, "Password of the user at the proxy."),
    ]
}

fn check_proxy_url(value: &ConfigValue) -> Result<(), String> {
    let ConfigValue::String(text) = value else { return Ok(()) };
    match Url::parse(text) {
        _ if text.is_empty() => Ok(()),
        Ok(url) if !matches!(url.scheme(), "http" | "https") || !url.has_host() => {
            Err("not a URL such as http://proxy:3128".to_owned())
        }
        // the URL is shown, in logs and over REST
        Ok(url) if url.password().is_some() => {
            Err(format!("give user and password in `{PROXY_USER}` and `{PROXY_PASSWORD}`"))
        }
        Ok(_) => Ok(()),
        Err(_) => Err("not a URL such as http://proxy:3128".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use volley_api::ConfigDef;
    use volley_api::testing::config_map;

    use super::*;

    fn def() -> ConfigDef {
        proxy_keys().into_iter().fold(ConfigDef::new(), ConfigDef::key)
    }

    #[test]
    fn user_and_password_are_put_into_the_url_and_do_not_show() {
        let entries = [(PROXY_URL, "http://proxy:3128"), (PROXY_USER, "a@b"), (PROXY_PASSWORD, "p:w/d")];
        let url = proxy_url(&def().parse(&config_map(&entries)).unwrap()).unwrap();
        assert_eq!(url.reveal(), "http://a%40b:p%3Aw%2Fd@proxy:3128/");
        assert_eq!(format!("{url:?}"), "[hidden]");
        assert_eq!(proxy_url(&def().parse(&config_map(&[(PROXY_URL, "")])).unwrap()), None);
        assert_eq!(proxy_url(&def().parse(&config_map(&[])).unwrap()), None);
    }

    #[test]
    fn what_is_no_proxy_is_refused() {
        for url in ["proxy:3128", "socks5://proxy", "proxy", "http://u:p@proxy"] {
            let (_, issues) = def().validate(&config_map(&[(PROXY_URL, url)]));
            assert_eq!(issues.len(), 1, "{url}");
        }
        let config = def().parse(&config_map(&[(PROXY_USER, "u")])).unwrap();
        assert_eq!(proxy_issues(&config)[0].key, PROXY_URL);
    }
}
