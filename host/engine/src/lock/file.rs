//! The form of a lock file, version 1.

use std::ffi::OsStr;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use seed_model::Digest;
use seed_report::{Kind, Problem, Problems, Report, SourceFile};
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::lock::seeds::{LockedPublication, LockedSeed, LockedSeeds};

/// The version that this program reads and writes. Older programs refuse newer versions; a key that only some programs
/// know is a new version.
const VERSION: u32 = 1;

/// The largest file in bytes: ten thousand plugins and images have less.
const MAX_SIZE: u64 = 16 << 20;

const HEADER: &str = "# The plugins that this pipeline runs with, and what it published last. Written by `seed run`, checked by\n\
                      # `seed run --locked`, used by `seed exec`: commit it, and read its changes in review.\n\n";

/// The lock of a pipeline file: `seed.lock` beside `pipeline.toml`, `NAME.seed.lock` beside `NAME.toml`.
pub fn lock_path(pipeline: &Path) -> PathBuf {
    match pipeline.file_stem().and_then(OsStr::to_str) {
        None | Some("pipeline") => pipeline.with_file_name("seed.lock"),
        Some(name) => pipeline.with_file_name(format!("{name}.seed.lock")),
    }
}

/// One locked plugin. A component that serves two stages has two entries.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedPlugin {
    /// The pipeline file's section.
    pub stage: String,
    /// Where the component comes from, as the pipeline file has it.
    pub reference: String,
    /// The plugin's own name.
    pub name: String,
    /// The plugin's own version.
    pub version: String,
    /// The world that it targets, with the contract's version: `seed:pipeline/signer@0.1.0`.
    pub world: String,
    /// The component's SHA-256, 64 hexadecimal digits.
    pub sha256: String,
    /// The digest of the manifest that it was found by; registries only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<Digest>,
    /// Interfaces that it imports, sorted.
    pub imports: Vec<String>,
    /// What the pipeline file grants it, such as `keys release`; sorted.
    pub grants: Vec<String>,
}

#[derive(Serialize)]
struct Written<'a> {
    version: u32,
    plugin: &'a [LockedPlugin],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    seed: &'a [LockedSeed],
    #[serde(skip_serializing_if = "Option::is_none")]
    published: Option<&'a LockedPublication>,
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(rename = "version")]
    _version: u32,
    #[serde(default)]
    plugin: Vec<Spanned<LockedPlugin>>,
    #[serde(default)]
    seed: Vec<Spanned<LockedSeed>>,
    #[serde(default)]
    published: Option<LockedPublication>,
}

/// A lock file that has been read.
#[derive(Clone, Debug)]
pub struct LockFile {
    /// The file, for errors.
    pub file: SourceFile,
    /// The plugins and their places, in the order of the file.
    pub plugins: Vec<Spanned<LockedPlugin>>,
    /// What was published last.
    pub seeds: LockedSeeds,
}

/// Why a lock file cannot be read or written.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum LockFileError {
    /// Reading failed.
    #[error("cannot read the lock file {}", path.display())]
    #[diagnostic(code("seed::lock::unreadable"))]
    Read { path: PathBuf, source: io::Error },
    /// Writing failed.
    #[error("cannot write the lock file {}", path.display())]
    #[diagnostic(
        code("seed::lock::unwritable"),
        help("make the directory writable, or run with `--locked` to see why the lock file must change")
    )]
    Write { path: PathBuf, source: io::Error },
    /// A newer program wrote it.
    #[error("a newer `seed` wrote {}: it has version {found}, this `seed` reads {VERSION}", path.display())]
    #[diagnostic(code("seed::lock::version"), help("upgrade `seed`"))]
    Newer { path: PathBuf, found: u32 },
    /// It is not a lock file.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Problems(#[from] Problems),
}

impl Report for LockFileError {
    fn kind(&self) -> Kind {
        match self {
            Self::Read { .. } | Self::Write { .. } => Kind::Failed,
            Self::Newer { .. } | Self::Problems(_) => Kind::Pin,
        }
    }
}

impl LockFile {
    /// Reads the lock at `path`; none where there is no such file.
    pub fn load(path: &Path) -> Result<Option<Self>, LockFileError> {
        let text = match seed_disk::read_bounded_text(path, MAX_SIZE) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(LockFileError::Read { path: path.to_owned(), source }),
        };
        let file = SourceFile { path: path.to_owned(), text: text.into() };
        let version: Version = parse(&file)?;
        if version.version > VERSION {
            return Err(LockFileError::Newer { path: path.to_owned(), found: version.version });
        }
        let document: Document = parse(&file)?;
        let images = images(&file, document.seed)?;
        let seeds = LockedSeeds { images, published: document.published };
        Ok(Some(Self { file, plugins: document.plugin, seeds }))
    }

    /// The text of a lock with these plugins, sorted, and what was published.
    pub fn text(plugins: &[LockedPlugin], seeds: &LockedSeeds) -> String {
        let mut plugins = plugins.to_vec();
        plugins.sort();
        let body = toml::to_string(&Written {
            version: VERSION,
            plugin: &plugins,
            seed: &seeds.images,
            published: seeds.published.as_ref(),
        });
        format!("{HEADER}{}", body.expect("strings and arrays have a TOML form"))
    }

    /// Writes the text of a lock, whole or not at all. Of runs that write at the same time, the last one wins.
    pub fn write(path: &Path, text: &str) -> Result<(), LockFileError> {
        seed_disk::replace(path, text.as_bytes())
            .map_err(|source| LockFileError::Write { path: path.to_owned(), source })
    }
}

fn parse<'a, T: Deserialize<'a>>(file: &'a SourceFile) -> Result<T, Problems> {
    toml::from_str(&file.text).map_err(|error| not_a_lock(file, error.message(), error.span()))
}

/// The images of a lock, sorted by system. A merge of two branches may have left a system twice.
fn images(file: &SourceFile, entries: Vec<Spanned<LockedSeed>>) -> Result<Vec<LockedSeed>, Problems> {
    let mut images: Vec<LockedSeed> = Vec::new();
    for entry in entries {
        let system = &entry.get_ref().system;
        if images.iter().any(|image| image.system == *system) {
            let message = format!("it lists the system `{}` twice", system.escape_debug());
            return Err(not_a_lock(file, &message, Some(entry.span())));
        }
        images.push(entry.into_inner());
    }
    images.sort();
    Ok(images)
}

fn not_a_lock(file: &SourceFile, reason: &str, span: Option<Range<usize>>) -> Problems {
    let problem = Problem {
        code: "seed::lock::not-a-lock".to_owned(),
        message: format!("not a lock file: {reason}"),
        label: "here".to_owned(),
        span,
        help: Some("restore it from git, or delete it and run `seed run`".to_owned()),
    };
    Problems::check(file, vec![problem]).expect_err("there is a problem")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock() -> String {
        let plugin = LockedPlugin {
            stage: "sign".to_owned(),
            reference: "oci://registry.example/signer:v1".to_owned(),
            name: "signer".to_owned(),
            version: "1.0.0".to_owned(),
            world: "seed:pipeline/signer@0.1.0".to_owned(),
            sha256: Digest::of(b"").hex(),
            manifest: Some(Digest::of(b"")),
            imports: vec!["seed:pipeline/keyring@0.1.0".to_owned()],
            grants: vec!["keys release".to_owned()],
        };
        let published = LockedPublication {
            digest: Digest::of(b""),
            references: vec!["registry.example/app:v1".to_owned()],
            paths: vec!["app".to_owned()],
        };
        let images = vec![LockedSeed { system: "x86_64-linux".to_owned(), digest: Digest::of(b"") }];
        LockFile::text(&[plugin], &LockedSeeds { images, published: Some(published) })
    }

    fn load(text: &str) -> Result<Option<LockFile>, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        LockFile::load(file.path()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_lock_has_no_key_that_this_version_does_not_know() {
        let document = toml::from_str(&lock()).unwrap();
        let variants = seed_tests::with_unknown_keys(&document, &[]);
        assert_eq!(variants.len(), 4);
        for (pointer, bad) in variants {
            let error = load(&toml::to_string(&bad).unwrap()).unwrap_err();
            assert!(error.contains("unknown field `more`"), "{pointer}: {error}");
        }
    }

    #[test]
    fn the_largest_file_is_read_and_one_byte_more_is_not() {
        let mut text = lock() + "#";
        text.push_str(&" ".repeat(usize::try_from(MAX_SIZE).unwrap() - text.len()));
        assert_eq!(load(&text).unwrap().unwrap().plugins.len(), 1);
        text.push(' ');
        assert!(load(&text).unwrap_err().starts_with("cannot read the lock file "));
    }
}
