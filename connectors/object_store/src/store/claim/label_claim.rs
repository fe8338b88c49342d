//! The labels of files, beside them: HDFS's client knows no extended attributes.
//!
//! Whoever wants to give a file its name first claims the name, with a hidden file beside it that holds the label and says
//! where the complete file waits. The first claim wins, and its file is the one that gets the name, whoever gives it: the
//! claimant, or, if it is gone, the next who wants the name. So a file that can be seen has a label, and it is its own.
//!
//! ```text
//!  a.json ◄─ renamed ── .volley-tmp/c-0.<id>.tmp      no name without a claim:
//!  .a.json.volley       .volley-tmp/c-0.<id>.tmp        crash before the claim: nobody knows the file
//!                       1234                            crash after it: the next one finishes
//!                       the label
//! ```
//!
//! A claim may say in a first line that its file gets another name than the one that is claimed: what follows from the
//! contents, such as the offset of the last row, can stand in the name then, and the writers of files that begin alike
//! still exclude each other.
//!
//! A claim whose file is neither waiting nor in its place is dead for good, since names of waiting files are used once. It is
//! never removed, which two at a time could not do safely; the next claim is one with the next number. The last one counts.

use super::file_system::{Entry, FileSystem, Outcome};
use crate::store::storage::StorageError;

/// A claim to a name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LabelClaim {
    /// The name that the file gets beside the claim; `None`: the one that is claimed.
    pub(super) name: Option<String>,
    /// Where the file waits, complete.
    pub(super) temporary: String,
    /// The file's number of bytes: one that somebody else has put there afterwards is hardly as long.
    pub(super) length: u64,
    /// The file's label.
    pub(super) label: String,
}

/// What has become of the claims to a name.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Claimed {
    /// There is a file now.
    Taken,
    /// There is none, and the next claim is the one with this number.
    Free(u32),
}

impl LabelClaim {
    /// Claims the name `path`; fails with `AlreadyExists` if that claim has been made.
    pub(super) async fn make(&self, files: &impl FileSystem, path: &str, number: u32) -> Outcome<()> {
        let draft = format!("{}.claim", self.temporary);
        let outcome = match files.write(&draft, self.text().into()).await {
            Ok(()) => files.rename(&draft, &claim_path(path, number)).await,
            Err(error) => Err(error),
        };
        if outcome.is_err() {
            // what cannot be removed now is removed at the next start
            let _ = files.remove(&draft).await;
        }
        outcome
    }

    /// Gives the file that waits its name; whether there is a file of that name now.
    async fn fulfil(&self, files: &impl FileSystem, path: &str) -> Outcome<bool> {
        let target = self.target(path);
        match files.rename(&self.temporary, &target).await {
            Ok(()) | Err(StorageError::AlreadyExists { .. }) => Ok(true),
            // in this order: a file that waits no longer has its name by now, or never will
            Err(error @ StorageError::NotFound { .. }) => match files.entry(&self.temporary).await? {
                Some(_) => Err(error),
                None => Ok(files.entry(&target).await?.is_some()),
            },
            Err(error) => Err(error),
        }
    }

    /// Where its file belongs, given the name that is claimed.
    fn target(&self, path: &str) -> String {
        match (&self.name, path.rsplit_once('/')) {
            (None, _) => path.to_owned(),
            (Some(name), Some((directory, _))) => format!("{directory}/{name}"),
            (Some(name), None) => name.clone(),
        }
    }

    fn text(&self) -> String {
        let name = self.name.as_ref().map(|name| format!("{name}\n")).unwrap_or_default();
        format!("{name}{}\n{}\n{}", self.temporary, self.length, self.label)
    }

    fn parse(text: &str) -> Option<Self> {
        // a temporary file is a path, a name is none
        let (first, behind) = text.split_once('\n')?;
        let (name, rest) = if first.contains('/') { (None, text) } else { (Some(first.to_owned()), behind) };
        let (temporary, rest) = rest.split_once('\n')?;
        let (length, label) = rest.split_once('\n')?;
        Some(Self { name, temporary: temporary.to_owned(), length: length.parse().ok()?, label: label.to_owned() })
    }
}

/// Brings to an end what has been claimed in the name of `path`, and says whether a file that is to be called `target`
/// is free to come.
pub(super) async fn settle(files: &impl FileSystem, path: &str, target: &str) -> Outcome<Claimed> {
    let mut number = 0;
    while let Some(claim) = read(files, path, number).await? {
        if claim.fulfil(files, path).await? {
            return Ok(Claimed::Taken);
        }
        number += 1;
    }
    // somebody else's file has no claim
    let is_taken = files.entry(path).await?.is_some() || target != path && files.entry(target).await?.is_some();
    Ok(if is_taken { Claimed::Taken } else { Claimed::Free(number) })
}

/// The label of the file at `path`, which has claimed its own name; `None` if it has none.
pub(crate) async fn label(files: &impl FileSystem, path: &str) -> Outcome<Option<String>> {
    if files.entry(path).await?.is_none() {
        return Err(StorageError::NotFound { path: files.shown(path), reason: "there is no such file".to_owned() });
    }
    let claimed = claimed_file(files, path).await?;
    Ok(claimed.filter(|(target, _)| target == path).map(|(_, label)| label))
}

/// The path and the label of the file that has come into being by a claim to the name `path`; `None` if there is none.
pub(crate) async fn claimed_file(files: &impl FileSystem, path: &str) -> Outcome<Option<(String, String)>> {
    let mut last = None;
    let mut number = 0;
    while let Some(claim) = read(files, path, number).await? {
        last = Some(claim);
        number += 1;
    }
    let Some(claim) = last else { return Ok(None) };
    let target = claim.target(path);
    let is_there = files.entry(&target).await? == Some(Entry::File(claim.length));
    Ok(is_there.then_some((target, claim.label)))
}

/// Removes the claims to the name of a file that has been removed, and to which nobody will make one again.
pub(crate) async fn remove_all(files: &impl FileSystem, path: &str) -> Outcome<()> {
    let mut number = 0;
    while files.entry(&claim_path(path, number)).await?.is_some() {
        files.remove(&claim_path(path, number)).await?;
        number += 1;
    }
    Ok(())
}

async fn read(files: &impl FileSystem, path: &str, number: u32) -> Outcome<Option<LabelClaim>> {
    let claim_path = claim_path(path, number);
    let Some(text) = files.read(&claim_path).await? else { return Ok(None) };
    match str::from_utf8(&text).ok().and_then(LabelClaim::parse) {
        Some(claim) => Ok(Some(claim)),
        None => Err(StorageError::Unavailable {
            path: files.shown(&claim_path),
            reason: "this is not what the sink has written there; remove it together with the file whose name it bears"
                .to_owned(),
        }),
    }
}

/// Hidden beside the file.
pub(crate) fn claim_path(path: &str, number: u32) -> String {
    let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
    match number {
        0 => format!("{directory}/.{name}.volley"),
        _ => format!("{directory}/.{name}.{number}.volley"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_read_as_it_was_written_whatever_its_label() {
        for label in ["", "{\"a\":1}", "two\nlines\n", "Grüße"] {
            for name in [None, Some("t+0+5+9.json".to_owned())] {
                let temporary = "/r/.volley-tmp/c.1.tmp".to_owned();
                let claim = LabelClaim { name, temporary, length: 12, label: label.to_owned() };
                assert_eq!(LabelClaim::parse(&claim.text()), Some(claim));
            }
        }
        assert_eq!(LabelClaim::parse("half"), None);
        assert_eq!(LabelClaim::parse("a\nb\nc"), None);
    }

    #[test]
    fn claims_are_hidden_beside_the_file() {
        assert_eq!(claim_path("/r/t/f.json", 0), "/r/t/.f.json.volley");
        assert_eq!(claim_path("/f.json", 2), "/.f.json.2.volley");
    }
}
