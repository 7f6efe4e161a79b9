//! Signing: whoever answers for the image, checked before anything is published.

use std::sync::Arc;

use miette::Diagnostic;
use seed_model::{PublicKey, SignRequest, Signature, Signed};
use seed_oci::StoreError;
use seed_report::{Kind, Report};
use seed_runtime::capabilities::Capabilities;

use crate::capabilities::RunKeyring;
use crate::plugins::ResolvedPlugin;
use crate::secrets::SecretError;
use crate::stages::context::Context;
use crate::stages::failure::StageFailure;
use crate::stages::signed::{Refusal, SignedSubject, Subject, check, check_signatures};
use crate::summary::PluginIdentity;

/// Why signing failed.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub(crate) enum SignError {
    /// The plugin failed.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Failed(#[from] StageFailure),
    /// A secret is unavailable.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Secrets(#[from] SecretError),
    /// The cache failed.
    #[error("the cache failed")]
    #[diagnostic(code("seed::cache::failed"))]
    Store(#[from] StoreError),
    /// What the plugin gave back is not a good signature.
    #[error("invalid signature from plugin `{}` {} ({}): {reason}", plugin.name, plugin.version, plugin.digest.short())]
    #[diagnostic(
        code("seed::sign::refused"),
        help("nothing was published; this is a bug in the plugin: report it to its authors")
    )]
    Refused { plugin: PluginIdentity, reason: Refusal },
}

impl Report for SignError {
    fn kind(&self) -> Kind {
        match self {
            Self::Failed(failure) => failure.kind(),
            Self::Secrets(error) => error.kind(),
            Self::Store(_) => Kind::Failed,
            Self::Refused { .. } => Kind::Signature,
        }
    }
}

/// Signs one subject with one plugin.
pub(crate) fn sign(
    context: &Context<'_>,
    plugin: &ResolvedPlugin,
    keyring: &Arc<RunKeyring>,
    subject: Subject<'_>,
) -> Result<SignedSubject, SignError> {
    let (signed, keys) = ask(context, plugin, keyring, subject)?;
    check(&context.blobs, subject, &plugin.identity.name, signed, &keys).map_err(refused(plugin))
}

/// Has one plugin sign something that is not published, and gives the signatures: the record of a run. `bytes` are those
/// of the subject.
pub(crate) fn endorse(
    context: &Context<'_>,
    plugin: &ResolvedPlugin,
    keyring: &Arc<RunKeyring>,
    subject: Subject<'_>,
    bytes: &[u8],
) -> Result<Vec<Signature>, SignError> {
    context.blobs.admit(context.blobs.store().put(bytes)?);
    let (signed, keys) = ask(context, plugin, keyring, subject)?;
    check_signatures(subject, &signed.signatures, &keys).map_err(refused(plugin))?;
    Ok(signed.signatures)
}

/// Checks signatures that [`endorse`] gave another run. What their keys' names stand for is found out here: nothing of
/// `signatures` is trusted.
pub(crate) fn check_endorsement(
    context: &Context<'_>,
    plugin: &ResolvedPlugin,
    keyring: &Arc<RunKeyring>,
    subject: Subject<'_>,
    signatures: &[Signature],
) -> Result<(), SignError> {
    let capabilities = capabilities(context, plugin, keyring)?;
    let keys = keys(context, plugin, keyring, &capabilities, signatures)?;
    let named =
        |(signature, key): (&Signature, &PublicKey)| Signature { key: key.clone(), ..signature.clone() };
    let signatures: Vec<_> = signatures.iter().zip(&keys).map(named).collect();
    check_signatures(subject, &signatures, &keys).map_err(refused(plugin))
}

fn refused(plugin: &ResolvedPlugin) -> impl FnOnce(Refusal) -> SignError {
    let plugin = plugin.identity.clone();
    |reason| SignError::Refused { plugin, reason }
}

fn capabilities(
    context: &Context<'_>,
    plugin: &ResolvedPlugin,
    keyring: &Arc<RunKeyring>,
) -> Result<Capabilities, SignError> {
    Ok(Capabilities {
        blobs: Some(Arc::new(context.blobs.clone())),
        keyring: Some(keyring.clone()),
        http: Some(Arc::new(context.client(plugin)?)),
        ..context.no_capabilities(plugin)
    })
}

/// What the plugin gives back, and the keys that the names in its signatures stand for.
fn ask(
    context: &Context<'_>,
    plugin: &ResolvedPlugin,
    keyring: &Arc<RunKeyring>,
    subject: Subject<'_>,
) -> Result<(Signed, Vec<PublicKey>), SignError> {
    let capabilities = capabilities(context, plugin, keyring)?;
    let mut variables = context.variables.clone();
    variables.extend(subject.system.map(|system| ("system".to_owned(), system.to_owned())));
    let request = SignRequest {
        config: Context::config(plugin),
        keys: plugin.used.grants.keys.iter().map(|name| name.get_ref().clone()).collect(),
        subject: subject.descriptor.clone(),
        references: subject.references.to_vec(),
        created: context.pipeline.seed.created.clone(),
        variables,
    };
    let signed = plugin
        .plugin
        .sign(&capabilities, &request)
        .map_err(|error| StageFailure::new(context, plugin, error))?;
    let keys = keys(context, plugin, keyring, &capabilities, &signed.signatures)?;
    Ok((signed, keys))
}

/// What the names of the signatures' keys stand for: keys that the plugin was granted, or else keys of its own. No key of
/// its own has the name of one that the pipeline declares and does not grant to it.
fn keys(
    context: &Context<'_>,
    plugin: &ResolvedPlugin,
    keyring: &Arc<RunKeyring>,
    capabilities: &Capabilities,
    signatures: &[Signature],
) -> Result<Vec<PublicKey>, SignError> {
    let config = Context::config(plugin);
    let granted = keyring.public_keys();
    let key = |signature: &Signature| {
        let name = &signature.key.name;
        if let Some(key) = granted.iter().find(|key| key.name == *name) {
            return Ok(key.clone());
        }
        if context.pipeline.keys.contains_key(name) {
            return Err(refused(plugin)(Refusal::NotGranted(name.clone())));
        }
        let described = plugin.plugin.describe_key(capabilities, &config, name);
        Ok(described.map_err(|error| StageFailure::new(context, plugin, error))?)
    };
    signatures.iter().map(key).collect()
}
