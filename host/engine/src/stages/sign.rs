//! Signing: whoever answers for the image, checked before anything is published.

use std::sync::Arc;

use miette::Diagnostic;
use seed_model::{PublicKey, SignRequest};
use seed_report::{Kind, Report};
use seed_runtime::capabilities::Capabilities;

use crate::capabilities::RunKeyring;
use crate::plugins::ResolvedPlugin;
use crate::secrets::SecretError;
use crate::stages::context::Context;
use crate::stages::failure::StageFailure;
use crate::stages::signed::{Refusal, SignedSubject, Subject, check};
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
    let grants = &plugin.used.grants;
    let capabilities = Capabilities {
        blobs: Some(Arc::new(context.blobs.clone())),
        keyring: Some(keyring.clone()),
        http: Some(Arc::new(context.client(plugin)?)),
        ..context.no_capabilities(plugin)
    };
    let mut variables = context.variables.clone();
    variables.extend(subject.system.map(|system| ("system".to_owned(), system.to_owned())));
    let request = SignRequest {
        config: Context::config(plugin),
        keys: grants.keys.iter().map(|name| name.get_ref().clone()).collect(),
        subject: subject.descriptor.clone(),
        references: subject.references.to_vec(),
        created: context.pipeline.seed.created.clone(),
        variables,
    };
    let failed = |error| StageFailure::new(context, plugin, error);
    let signed = plugin.plugin.sign(&capabilities, &request).map_err(failed)?;
    let describe =
        |name: &str| plugin.plugin.describe_key(&capabilities, &request.config, name).map_err(failed);
    let mut keys: Vec<PublicKey> = Vec::new();
    for signature in &signed.signatures {
        let name = &signature.key.name;
        let granted = keyring.public_keys().into_iter().find(|key| key.name == *name);
        let key = match granted {
            Some(key) => key,
            None => describe(name)?,
        };
        keys.push(key);
    }
    check(&context.blobs, subject, &plugin.identity.name, signed, &keys)
        .map_err(|reason| SignError::Refused { plugin: plugin.identity.clone(), reason })
}
