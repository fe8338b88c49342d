//! volley-converters
