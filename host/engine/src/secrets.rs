//! Reads the keys and secrets that a pipeline file names, when a stage needs them.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use miette::{Diagnostic, NamedSource, SourceSpan};
use seed_disk::read_bounded;
use seed_http::Secret;
use seed_report::{Kind, Report, SourceFile};
use seed_trust::{KeyError, PrivateKey, public_key};
use toml::Spanned;

use crate::pipeline::{KeySource, Pipeline, SecretSource};
use crate::session::Session;

/// The largest key or secret file in bytes.
const MAX_FILE: u64 = 64 << 10;

const PATHS: &str = "write the path relative to the pipeline file";
const MAKE_KEY: &str = "write the path relative to the pipeline file; `cosign generate-key-pair` creates `cosign.key` and `cosign.pub`";

/// Why a key or secret is unavailable. Values never appear.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub(crate) enum SecretError {
    /// A file cannot be read.
    #[error("cannot read {what} from {}", path.display())]
    #[diagnostic(code("seed::keys::unreadable"))]
    Unreadable {
        /// Which key, password or secret.
        what: String,
        path: PathBuf,
        source: io::Error,
        #[source_code]
        pipeline: Arc<NamedSource<Arc<str>>>,
        /// Where it names the file.
        #[label("named here")]
        place: SourceSpan,
        #[help]
        help: &'static str,
    },
    /// A variable is not set, or not text.
    #[error("cannot read {what}: the environment variable `{variable}` is not set")]
    #[diagnostic(code("seed::keys::no-variable"), help("set the variable; it may be empty"))]
    Variable {
        /// Which password or secret.
        what: String,
        variable: String,
        #[source_code]
        pipeline: Arc<NamedSource<Arc<str>>>,
        /// Where it names the variable.
        #[label("named here")]
        place: SourceSpan,
    },
    /// A key cannot be opened.
    #[error("cannot open the key `{name}`: {error}")]
    #[diagnostic(code("seed::keys::key"))]
    Key {
        name: String,
        file: PathBuf,
        error: KeyError,
        #[source_code]
        pipeline: Arc<NamedSource<Arc<str>>>,
        /// Where it names the key file.
        #[label("named here")]
        place: SourceSpan,
        #[help]
        help: Option<String>,
    },
    /// One key under two names.
    #[error("the keys `{first}` and `{second}` are one key")]
    #[diagnostic(
        code("seed::keys::same-key"),
        help("remove one of them, or name the other signer's key file: each key counts once")
    )]
    SameKey {
        first: String,
        second: String,
        #[source_code]
        pipeline: Arc<NamedSource<Arc<str>>>,
        /// Where the file names the second.
        #[label("same key")]
        place: SourceSpan,
    },
}

impl Report for SecretError {
    fn kind(&self) -> Kind {
        match self {
            Self::SameKey { .. } => Kind::Usage,
            _ => Kind::Signature,
        }
    }
}

/// The granted keys by name. One key under two names is refused: it would look like two signers.
pub(crate) fn keys<'a>(
    session: &Session,
    pipeline: &Pipeline,
    names: impl Iterator<Item = &'a str>,
) -> Result<BTreeMap<String, PrivateKey>, SecretError> {
    let mut keys = BTreeMap::new();
    let mut signers = BTreeMap::new();
    for (name, source) in names.filter_map(|name| pipeline.keys.get_key_value(name)) {
        let key = key(session, name, source, &pipeline.file)?;
        let first = signers.insert(public_key::identity(&key.public(name)), name);
        if let Some(first) = first.filter(|first| *first != name) {
            return Err(SecretError::SameKey {
                first: first.clone(),
                second: name.clone(),
                pipeline: Arc::new(pipeline.file.named()),
                place: source.file.span().into(),
            });
        }
        keys.insert(name.clone(), key);
    }
    Ok(keys)
}

/// The granted secrets by name.
pub(crate) fn secrets<'a>(
    session: &Session,
    pipeline: &Pipeline,
    names: impl Iterator<Item = &'a str>,
) -> Result<BTreeMap<String, Secret>, SecretError> {
    let sources = names.filter_map(|name| pipeline.secrets.get_key_value(name));
    sources
        .map(|(name, source)| {
            let value = secret(session, &format!("the secret `{name}`"), source, &pipeline.file)?;
            Ok((name.clone(), Secret::new(value)))
        })
        .collect()
}

fn key(
    session: &Session,
    name: &str,
    source: &KeySource,
    pipeline: &SourceFile,
) -> Result<PrivateKey, SecretError> {
    let (file, bytes) = read(&format!("the key `{name}`"), &source.file, pipeline, MAKE_KEY)?;
    let password = match &source.password {
        Some(source) => {
            Some(secret(session, &format!("the password of the key `{name}`"), source, pipeline)?)
        }
        None if PrivateKey::is_encrypted(&bytes) => session.password(name, &file),
        None => None,
    };
    PrivateKey::load(&bytes, password.as_deref().map(str::as_bytes)).map_err(|error| SecretError::Key {
        name: name.to_owned(),
        help: error.help().map(str::to_owned),
        pipeline: Arc::new(pipeline.named()),
        place: source.file.span().into(),
        file,
        error,
    })
}

fn secret(
    session: &Session,
    what: &str,
    source: &SecretSource,
    pipeline: &SourceFile,
) -> Result<String, SecretError> {
    match source {
        SecretSource::Env(variable) => {
            session.variable(variable.get_ref()).ok_or_else(|| SecretError::Variable {
                what: what.to_owned(),
                variable: variable.get_ref().clone(),
                pipeline: Arc::new(pipeline.named()),
                place: variable.span().into(),
            })
        }
        SecretSource::File(name) => {
            let (path, bytes) = read(what, name, pipeline, PATHS)?;
            let mut text = String::from_utf8(bytes).map_err(|error| SecretError::Unreadable {
                what: what.to_owned(),
                path,
                source: io::Error::new(io::ErrorKind::InvalidData, error),
                pipeline: Arc::new(pipeline.named()),
                place: name.span().into(),
                help: PATHS,
            })?;
            if text.ends_with('\n') {
                let end = if text.ends_with("\r\n") { 2 } else { 1 };
                text.truncate(text.len().saturating_sub(end));
            }
            Ok(text)
        }
    }
}

/// A file that the pipeline file names: where it is, and what is in it.
fn read(
    what: &str,
    name: &Spanned<String>,
    pipeline: &SourceFile,
    help: &'static str,
) -> Result<(PathBuf, Vec<u8>), SecretError> {
    let path = pipeline.directory().join(name.get_ref());
    let unreadable = |source| SecretError::Unreadable {
        what: what.to_owned(),
        path: path.clone(),
        source,
        pipeline: Arc::new(pipeline.named()),
        place: name.span().into(),
        help,
    };
    let bytes = read_bounded(&path, MAX_FILE).map_err(|error| match error.kind() {
        io::ErrorKind::FileTooLarge => unreadable(io::Error::other("it is larger than 64 KiB")),
        _ => unreadable(error),
    })?;
    Ok((path, bytes))
}
