//! Pages of the documentation with figures that a bench writes.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// Puts `markdown` between the lines `<!-- mark -->` and `<!-- /mark -->` of a page.
pub(crate) fn write_between_marks(path: &Path, mark: &str, markdown: &str) -> Result<()> {
    let (start, end) = (format!("<!-- {mark} -->"), format!("<!-- /{mark} -->"));
    let page = fs::read_to_string(path).with_context(|| format!("could not read {}", path.display()))?;
    let needed = || format!("{} needs the lines {start} and {end}", path.display());
    let (before, rest) = page.split_once(&start).with_context(needed)?;
    let (_, after) = rest.split_once(&end).with_context(needed)?;
    fs::write(path, format!("{before}{start}\n{markdown}{end}{after}"))?;
    Ok(())
}
