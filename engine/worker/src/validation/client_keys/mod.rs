//! The keys of Kafka's producer, consumer and admin client, as its Java clients define them (Kafka 4.3.0): names, types,
//! defaults and importance.

mod client_key;
mod consumer;
mod general;
mod key_lookup;
mod producer;
mod sasl;
mod tls;

pub(super) use client_key::Client;
pub(super) use key_lookup::client_key;
