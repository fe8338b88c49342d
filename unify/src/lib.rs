//! Selected together with another package (`cargo test -p volley-sql -p unify`), keeps the features of dependencies as in a build of the whole workspace.
