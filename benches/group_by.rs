//! How long DuckDB reads what was written.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::testbed::installed;

/// The best of several runs counts, on one thread.
const SCRIPT: &str = "
import sys, time, duckdb
connection = duckdb.connect(config={'threads': 1})
query = f\"\"\"SELECT country, ok, count(*), sum(amount), min(ts), max(id), max(buyer)
           FROM read_parquet('{sys.argv[1]}/**/*.parquet') GROUP BY ALL ORDER BY ALL\"\"\"
best = None
for _ in range(5):
    start = time.perf_counter()
    connection.sql(query).fetchall()
    taken = time.perf_counter() - start
    best = taken if best is None else min(best, taken)
print(best)
";

/// DuckDB, in a virtual environment of Python.
#[derive(Debug)]
pub(crate) struct GroupBy {
    python: PathBuf,
}

impl GroupBy {
    /// The installed one.
    pub(crate) fn new() -> Self {
        Self { python: installed("duckdb").join("bin/python") }
    }

    /// Groups the payments in the Parquet files under `directory`.
    pub(crate) fn of(&self, directory: &Path) -> Result<Duration> {
        let output = Command::new(&self.python).arg("-c").arg(SCRIPT).arg(directory).output()?;
        ensure!(output.status.success(), "DuckDB: {}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8_lossy(&output.stdout);
        let seconds = text.trim().parse().with_context(|| format!("DuckDB has printed {text}"))?;
        Ok(Duration::from_secs_f64(seconds))
    }
}
