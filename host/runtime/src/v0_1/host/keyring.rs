//! Interface `keyring`.

use std::sync::Arc;

use seed_model::StageError;
use wasmtime::Result;

use crate::capabilities::Keyring;
use crate::state::State;
use crate::text::printable;
use crate::v0_1::bindings::seed::pipeline::keyring::{self as wit, Host};
use crate::v0_1::bindings::seed::pipeline::types;
use crate::v0_1::host::bounds::{DOCUMENT, too_long};

/// The longest name of a key that a message shows, in bytes.
const NAME: usize = 100;

impl Host for State {
    fn get(&mut self, name: String) -> Result<Result<wit::PublicKey, types::StageError>> {
        let get = |state: &mut Self| Ok(keyring(state, &name)?.get(&name)?.into());
        self.counted(|state| Ok(get(state).map_err(StageError::into)))
    }

    fn sign(&mut self, name: String, payload: Vec<u8>) -> Result<Result<Vec<u8>, types::StageError>> {
        let sign = |state: &mut Self| {
            if payload.len() > DOCUMENT {
                return Err(too_long("a payload", payload.len(), DOCUMENT));
            }
            keyring(state, &name)?.sign(&name, &payload)
        };
        self.counted(|state| Ok(sign(state).map_err(Into::into)))
    }
}

fn keyring(state: &State, name: &str) -> Result<Arc<dyn Keyring>, StageError> {
    state.capabilities.keyring.clone().ok_or_else(|| {
        let name = printable(name, NAME);
        StageError::Denied(state.denied(&format!("the key `{name}`"), &format!("keys = [{name:?}]")))
    })
}
