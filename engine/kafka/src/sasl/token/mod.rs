//! The tokens that a client shows with OAUTHBEARER, and where they come from.
//!
//! ```text
//!  sasl.* ─ TokenSource ─┬─ UnsecuredToken    made here, without a signature
//!                        ├─ TokenFile         read each time
//!                        └─ TokenKeeper ───── a thread: TokenEndpoint ─ HttpClient ─► identity provider
//!                              ▲                        └─ token_request, token_answer, RefreshTimes (pure)
//!   our own connections ───────┤ (async)
//!   librdkafka's clients ──────┘ (blocking)
//! ```
//!
//! Clients with the same settings share a keeper, and so a token.

mod jwt;
mod refresh_times;
mod token_answer;
mod token_endpoint;
mod token_file;
mod token_keeper;
mod token_options;
mod token_request;
mod token_source;
mod unsecured_token;

pub(crate) use jwt::now;
pub(crate) use token_source::TokenSource;
