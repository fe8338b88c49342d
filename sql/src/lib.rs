//! volley-sql
