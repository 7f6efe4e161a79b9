//! Reads the keys and secrets that a pipeline file names, when a stage needs them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::{env, str};

use miette::Diagnostic;
use seed_http::Secret;
use seed_trust::{KeyError, PrivateKey};

use crate::engine::Passwords;
use crate::pipeline::{KeySource, Pipeline, SecretSource};

/// The largest key or secret file in bytes.
const MAX_FILE: u64 = 64 << 10;

const PATHS: &str = "paths begin at the pipeline file";
const MAKE_KEY: &str =
    "paths begin at the pipeline file; `cosign generate-key-pair` makes `cosign.key` and `cosign.pub`";

/// Why a key or secret cannot be had. Values never appear.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum VaultError {
    /// A file cannot be read.
    #[error("{what} cannot be read from {}", path.display())]
    #[diagnostic(code("seed::keys::unreadable"))]
    Unreadable {
        /// Which key, password or secret.
        what: String,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
        /// What to do.
        #[help]
        help: &'static str,
    },
    /// A variable is not set, or not text.
    #[error("{what} should be in the environment variable `{variable}`, which is not set")]
    #[diagnostic(code("seed::keys::no-variable"), help("set it; it may be empty"))]
    Variable {
        /// Which password or secret.
        what: String,
        /// The variable.
        variable: String,
    },
    /// A key cannot be opened.
    #[error("the key `{name}` cannot be opened: {error}")]
    #[diagnostic(code("seed::keys::key"))]
    Key {
        /// The key's name.
        name: String,
        /// The file.
        file: PathBuf,
        /// Why.
        error: KeyError,
        /// What to do.
        #[help]
        help: Option<String>,
    },
}

/// The granted keys by name.
pub(crate) fn keys<'a>(
    pipeline: &Pipeline,
    names: impl Iterator<Item = &'a str>,
    passwords: &dyn Passwords,
) -> Result<BTreeMap<String, PrivateKey>, VaultError> {
    let directory = pipeline.file.directory();
    let sources = names.filter_map(|name| pipeline.keys.get_key_value(name));
    sources.map(|(name, source)| Ok((name.clone(), key(name, source, directory, passwords)?))).collect()
}

/// The granted secrets by name.
pub(crate) fn secrets<'a>(
    pipeline: &Pipeline,
    names: impl Iterator<Item = &'a str>,
) -> Result<BTreeMap<String, Secret>, VaultError> {
    let directory = pipeline.file.directory();
    let sources = names.filter_map(|name| pipeline.secrets.get_key_value(name));
    sources
        .map(|(name, source)| {
            let value = secret(&format!("the secret `{name}`"), source, directory)?;
            Ok((name.clone(), Secret::new(value)))
        })
        .collect()
}

fn key(
    name: &str,
    source: &KeySource,
    directory: &Path,
    passwords: &dyn Passwords,
) -> Result<PrivateKey, VaultError> {
    let file = directory.join(source.file.get_ref());
    let bytes = read(&format!("the key `{name}`"), &file, MAKE_KEY)?;
    let password = match &source.password {
        Some(source) => Some(secret(&format!("the password of the key `{name}`"), source, directory)?),
        None if PrivateKey::is_encrypted(&bytes) => passwords.password(name, &file),
        None => None,
    };
    PrivateKey::load(&bytes, password.as_deref().map(str::as_bytes)).map_err(|error| VaultError::Key {
        name: name.to_owned(),
        help: error.help().map(str::to_owned),
        file,
        error,
    })
}

fn secret(what: &str, source: &SecretSource, directory: &Path) -> Result<String, VaultError> {
    match source {
        SecretSource::Env(variable) => env::var(variable)
            .map_err(|_| VaultError::Variable { what: what.to_owned(), variable: variable.clone() }),
        SecretSource::File(path) => {
            let path = directory.join(path);
            let bytes = read(what, &path, PATHS)?;
            let mut text = String::from_utf8(bytes).map_err(|error| VaultError::Unreadable {
                what: what.to_owned(),
                path,
                source: io::Error::new(io::ErrorKind::InvalidData, error),
                help: PATHS,
            })?;
            if text.ends_with('\n') {
                text.truncate(text.len() - if text.ends_with("\r\n") { 2 } else { 1 });
            }
            Ok(text)
        }
    }
}

fn read(what: &str, path: &Path, help: &'static str) -> Result<Vec<u8>, VaultError> {
    let unreadable =
        |source| VaultError::Unreadable { what: what.to_owned(), path: path.to_owned(), source, help };
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut bytes)).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(unreadable(io::Error::other("it is larger than 64 KiB")));
    }
    Ok(bytes)
}
