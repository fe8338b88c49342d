//! A source of made-up rows, for demos, tests and benches.
//!
//! Row `n` depends on the seed and on `n` alone. Whatever the size of the batches, the number of tasks or the point of a
//! restart, the same seed gives the same rows.
//!
//! ```text
//!  config ─► FieldGenerator…  ─┐
//!  RowSpan (first, step, len) ─┴► columns ─► Records
//! ```
//!
//! ```properties
//! connector.class=Datagen
//! topic=payments
//! rows=1000000
//! fields=id,account,amount,state,paid_at
//! fields.id.generator=sequence
//! fields.account.type=string
//! fields.account.generator=zipf
//! fields.account.prefix=account-
//! fields.amount.type=float64
//! fields.amount.max=250
//! fields.amount.scale=2
//! fields.state.generator=choice
//! fields.state.values=open,paid,refused
//! fields.state.weights=2,7,1
//! fields.paid_at.type=timestamp
//! fields.paid_at.null.rate=0.3
//! ```

mod alias_table;
mod config;
mod field_config;
mod field_generator;
mod field_settings;
mod integers;
mod pattern;
mod preset;
mod random;
mod row_generator;
mod row_span;
mod source;
#[cfg(test)]
mod tests;

pub(crate) use source::source_plugin;
