//! Adds store paths that somebody else built to the store.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;

use crate::closure::batches;
use crate::error::NixError;
use crate::events::Observer;
use crate::nix::Nix;

/// A store path to add.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    pub path: String,
    /// The store paths that it refers to.
    pub references: Vec<String>,
    /// A file with its NAR.
    pub nar: PathBuf,
}

/// Prints one path per line.
const MAX_OUTPUT: u64 = 512 * 1024 * 1024;
/// Begins what follows a NAR in the form of `nix-store --export`.
const EXPORT_MAGIC: u64 = 0x4558_494e;

impl Nix {
    /// Those of `paths` that the store does not have, in the same order.
    pub fn missing(&self, paths: &[&str], observer: &dyn Observer) -> Result<Vec<String>, NixError> {
        let mut missing = Vec::new();
        for batch in batches(paths) {
            let check = self
                .nix_store(&["--check-validity", "--print-invalid"], MAX_OUTPUT)
                .quiet_args(batch)
                .run(observer)?;
            missing.extend(String::from_utf8_lossy(&check.success()?).lines().map(str::to_owned));
        }
        Ok(missing)
    }

    /// Adds `paths` to the store, each after those that it refers to. The caller vouches for their contents: Nix
    /// checks no signature, which it lets trusted users do only.
    pub fn import(&self, paths: &[Import], observer: &dyn Observer) -> Result<(), NixError> {
        let outcome = self
            .nix_store(&["--import"], MAX_OUTPUT)
            .run_with(&|stdin| export(paths, &mut io::BufWriter::new(stdin)), observer)?;
        let message = outcome.message();
        if !outcome.status.success() && message.contains("signature") {
            return Err(NixError::Untrusted { message });
        }
        outcome.success().map(drop)
    }
}

/// Writes what `nix-store --import` reads: for each path a 1, its NAR, a magic number, the path, its references, its
/// deriver (none) and a 0; and a 0 at the end.
fn export(paths: &[Import], out: &mut impl Write) -> io::Result<()> {
    for path in paths {
        number(out, 1)?;
        io::copy(&mut File::open(&path.nar)?, out)?;
        number(out, EXPORT_MAGIC)?;
        string(out, &path.path)?;
        number(out, path.references.len() as u64)?;
        path.references.iter().try_for_each(|reference| string(out, reference))?;
        string(out, "")?;
        number(out, 0)?;
    }
    number(out, 0)?;
    out.flush()
}

fn number(out: &mut impl Write, number: u64) -> io::Result<()> {
    out.write_all(&number.to_le_bytes())
}

fn string(out: &mut impl Write, text: &str) -> io::Result<()> {
    number(out, text.len() as u64)?;
    out.write_all(text.as_bytes())?;
    out.write_all(&[0; 8][..text.len().next_multiple_of(8).saturating_sub(text.len())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_written_as_nix_exports_them() {
        let directory = tempfile::tempdir().unwrap();
        let nar = directory.path().join("nar");
        std::fs::write(&nar, "N").unwrap();
        let path = Import { path: "/nix/a".to_owned(), references: vec!["/nix/b".to_owned()], nar };
        let mut out = Vec::new();
        export(&[path], &mut out).unwrap();
        let expected = b"\x01\0\0\0\0\0\0\0N\x4e\x49\x58\x45\0\0\0\0\x06\0\0\0\0\0\0\0/nix/a\0\0\
            \x01\0\0\0\0\0\0\0\x06\0\0\0\0\0\0\0/nix/b\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
        assert_eq!(out.escape_ascii().to_string(), expected[..out.len()].escape_ascii().to_string());
    }
}
