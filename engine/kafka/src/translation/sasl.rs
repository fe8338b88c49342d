//! `sasl.*`: the login modules of Java's clients as librdkafka's user and password; tokens are handed to it later.

use volley_java::LoginModule;

use super::translate::Draft;

/// Translates a key that begins with `sasl.`.
pub(super) fn translate(draft: &mut Draft, key: &str, value: &str) {
    match key {
        "sasl.jaas.config" => login(draft, value),
        "sasl.mechanism" | "sasl.mechanisms" => draft.set("sasl.mechanism", value.to_ascii_uppercase()),
        "sasl.kerberos.kinit.cmd"
        | "sasl.kerberos.service.name"
        | "sasl.kerberos.min.time.before.relogin"
        | "sasl.kerberos.principal"
        | "sasl.kerberos.keytab" => {
            draft.set_if_built_in("sasl_gssapi", key, value);
        }
        // Tokens are not librdkafka's business: it is given them.
        _ if key.starts_with("sasl.oauthbearer.") && key != "sasl.oauthbearer.config" => {}
        "sasl.login.callback.handler.class"
            if value.rsplit('.').next().is_some_and(|c| c.starts_with("OAuthBearer")) => {}
        "sasl.login.callback.handler.class" | "sasl.client.callback.handler.class" | "sasl.login.class" => {
            draft.warn_unsupported(key, "it names a Java class");
        }
        "sasl.kerberos.ticket.renew.jitter" | "sasl.kerberos.ticket.renew.window.factor" => {}
        _ if key.starts_with("sasl.login.") => {}
        _ => draft.pass(key, value),
    }
}

fn login(draft: &mut Draft, text: &str) {
    let module = match LoginModule::parse(text) {
        Ok(module) => module,
        Err(reason) => return draft.warn(format!("could not read `sasl.jaas.config`: {reason}")),
    };
    match module.simple_class() {
        "PlainLoginModule" | "ScramLoginModule" => user_and_password(draft, &module),
        "OAuthBearerLoginModule" => oauthbearer(draft, &module),
        "Krb5LoginModule" => kerberos(draft, &module),
        class => {
            let class = class.to_owned();
            draft.warn(format!("login module `{class}` in `sasl.jaas.config` has no equivalent here and is left out"));
        }
    }
}

fn user_and_password(draft: &mut Draft, module: &LoginModule) {
    for (option, key) in [("username", "sasl.username"), ("password", "sasl.password")] {
        match module.options.get(option) {
            Some(value) => draft.set(key, value.as_str()),
            None => draft.warn(format!("`sasl.jaas.config` has no `{option}`")),
        }
    }
}

fn oauthbearer(draft: &mut Draft, module: &LoginModule) {
    for option in module.options.keys().filter(|option| option.starts_with("extension_")) {
        draft.warn(format!(
            "the option `{option}` in `sasl.jaas.config` is left out: the Kafka client shows a token without extensions"
        ));
    }
}

fn kerberos(draft: &mut Draft, module: &LoginModule) {
    let translated = [
        ("keyTab", "sasl.kerberos.keytab"),
        ("principal", "sasl.kerberos.principal"),
        ("serviceName", "sasl.kerberos.service.name"),
    ];
    for (option, key) in translated {
        if let Some(value) = module.options.get(option)
            && !draft.set_if_built_in("sasl_gssapi", key, value)
        {
            return;
        }
    }
}
