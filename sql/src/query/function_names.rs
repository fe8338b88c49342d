//! The functions by kind: DataFusion's and ours, so that a query's calls are checked before there are records to plan it for.

use std::collections::HashSet;
use std::sync::LazyLock;

use datafusion::execution::SessionStateDefaults;

use crate::functions::{HMAC, pure_functions};

/// The kind of a function's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FunctionKind {
    /// Works on one row.
    Scalar,
    /// Works on groups of rows.
    Aggregate,
    /// Works on neighbouring rows.
    Window,
    /// No such function.
    Unknown,
}

/// Names that the planner supports without a registered function, and of the function that needs settings.
const PLANNED: [&str; 4] = ["unnest", "unnest_outer", "make_map", HMAC];

struct Names {
    scalar: HashSet<String>,
    aggregate: HashSet<String>,
    window: HashSet<String>,
}

static NAMES: LazyLock<Names> = LazyLock::new(|| Names {
    scalar: SessionStateDefaults::default_scalar_functions()
        .iter()
        .flat_map(|function| names(function.name(), function.aliases()))
        .chain(
            SessionStateDefaults::default_higher_order_functions()
                .iter()
                .flat_map(|function| names(function.name(), function.aliases())),
        )
        .chain(pure_functions().iter().flat_map(|function| names(function.name(), function.aliases())))
        .chain(PLANNED.iter().map(|name| (*name).to_owned()))
        .collect(),
    aggregate: SessionStateDefaults::default_aggregate_functions()
        .iter()
        .flat_map(|function| names(function.name(), function.aliases()))
        .collect(),
    window: SessionStateDefaults::default_window_functions()
        .iter()
        .flat_map(|function| names(function.name(), function.aliases()))
        .collect(),
});

fn names(name: &str, aliases: &[String]) -> Vec<String> {
    std::iter::once(name.to_owned()).chain(aliases.iter().cloned()).collect()
}

/// The kind of the function `name`, in lower case unless it was quoted.
pub(crate) fn kind_of(name: &str) -> FunctionKind {
    if NAMES.scalar.contains(name) {
        FunctionKind::Scalar
    } else if NAMES.aggregate.contains(name) {
        FunctionKind::Aggregate
    } else if NAMES.window.contains(name) {
        FunctionKind::Window
    } else {
        FunctionKind::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_told_apart_by_kind() {
        for (name, kind) in [
            ("upper", FunctionKind::Scalar),
            ("regexp_replace", FunctionKind::Scalar),
            ("array_length", FunctionKind::Scalar),
            ("md5", FunctionKind::Scalar),
            ("encode", FunctionKind::Scalar),
            ("to_timestamp", FunctionKind::Scalar),
            ("unnest", FunctionKind::Scalar),
            ("count", FunctionKind::Aggregate),
            ("sum", FunctionKind::Aggregate),
            ("row_number", FunctionKind::Window),
            ("json_get_str", FunctionKind::Scalar),
            ("hmac_sha256", FunctionKind::Scalar),
            ("round", FunctionKind::Scalar),
            ("uppper", FunctionKind::Unknown),
        ] {
            assert_eq!(kind_of(name), kind, "{name}");
        }
    }
}
