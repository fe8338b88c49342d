//! The keys of Kafka's producer, consumer and admin client, as its Java clients define them (Kafka 4.3.0): names, types,
//! defaults and importance.

mod client_key;
mod consumer;
mod general;
mod producer;
mod sasl;
mod tls;

pub(super) use client_key::{Client, client_key};
