//! What the keys of a client are called: messages name them.

/// The words for the keys of a client, and what else differs between those of Confluent's registries and of Apicurio's.
#[derive(Debug, PartialEq)]
pub(crate) struct KeyWords {
    /// The key with the URLs.
    pub(crate) url: &'static str,
    /// The keys of TLS.
    pub(crate) tls: &'static str,
    /// The keys of the login.
    pub(crate) login: &'static str,
    /// The key that allows to register schemas.
    pub(crate) auto_register: &'static str,
    /// Which registry it is.
    pub(crate) interface: &'static str,
    /// What to do about a registry that wants a login, and there is none.
    pub(crate) no_login: &'static str,
    /// What to do about one that does not like user and password.
    pub(crate) bad_user: &'static str,
    /// What to do about one that does not like the client of an identity provider.
    pub(crate) bad_client: &'static str,
    /// What to do about an identity provider that does not like the client.
    pub(crate) unknown_client: &'static str,
    /// The Java class of refusals.
    pub(crate) exception: &'static str,
}

/// Confluent's.
pub(crate) static CONFLUENT: KeyWords = KeyWords {
    url: "schema.registry.url",
    tls: "schema.registry.ssl.*",
    login: "bearer.auth.*",
    auto_register: "auto.register.schemas",
    interface: "Confluent's interface",
    no_login: "it wants to know who asks: set `basic.auth.credentials.source=USER_INFO` and `basic.auth.user.info`, or \
               `bearer.auth.credentials.source`",
    bad_user: "check `basic.auth.user.info` (or `sasl.jaas.config`), and what that user may do",
    bad_client: "check `bearer.auth.scope`, `bearer.auth.logical.cluster` and `bearer.auth.identity.pool.id`, and what \
                 the client may do",
    unknown_client: "check `bearer.auth.client.id`, `.client.secret` and `bearer.auth.scope`",
    exception: "io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException",
};

/// Apicurio's.
pub(crate) static APICURIO: KeyWords = KeyWords {
    url: "apicurio.registry.url",
    tls: "apicurio.registry.request.ssl.*",
    login: "apicurio.auth.*",
    auto_register: "apicurio.registry.auto-register",
    interface: "Apicurio's interface (…/apis/registry/v2 or …/apis/registry/v3)",
    no_login: "it wants to know who asks: set `apicurio.auth.username` and `apicurio.auth.password`, or \
               `apicurio.auth.service.token.endpoint`, `apicurio.auth.client.id` and `apicurio.auth.client.secret`",
    bad_user: "check `apicurio.auth.username` and `apicurio.auth.password`, and what that user may do",
    bad_client: "check `apicurio.auth.client.scope`, and what the client may do",
    unknown_client: "check `apicurio.auth.client.id`, `.client.secret` and `.client.scope`",
    exception: "io.apicurio.registry.rest.client.exception.RestClientException",
};
