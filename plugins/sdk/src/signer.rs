//! The third stage: who answers for an image.

use crate::bindings::signer::exports::seed::pipeline::signing as exports;
use crate::component::{Component, install_panic_hook, parse_config};
use crate::{Plugin, StageError, keyring};

pub use crate::Attachment;
pub use crate::keyring::{Algorithm, PublicKey};
pub use exports::{Artifact, PayloadFormat, Request as SignRequest, Signature, Signed};

/// A plugin of the signing stage.
pub trait Signer: Plugin {
    /// The public key behind a granted name. The default asks the keyring; a plugin that keeps keys elsewhere (a
    /// key service, say) answers for itself.
    fn describe_key(_config: Self::Config, name: &str) -> Result<PublicKey, StageError> {
        keyring::get(name)
    }

    /// Signs. The host verifies every signature before anything is published.
    fn sign(config: Self::Config, request: SignRequest) -> Result<Signed, StageError>;
}

impl<P: Signer> exports::Guest for Component<P> {
    fn describe_key(config: String, name: String) -> Result<PublicKey, StageError> {
        install_panic_hook();
        P::describe_key(parse_config(&config)?, &name)
    }

    fn sign(request: SignRequest) -> Result<Signed, StageError> {
        install_panic_hook();
        P::sign(parse_config(&request.config)?, request)
    }
}

/// Makes the crate a component of world `signer` whose decisions are those of a [`Signer`](crate::signer::Signer).
#[macro_export]
macro_rules! export_signer {
    ($plugin:ty) => {
        $crate::__export!(signer, export_signer_world, SignerGuest, $plugin);
    };
}
