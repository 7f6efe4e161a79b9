//! A loaded component, and the functions of the contract that it has.

use std::fmt;
use std::sync::Arc;

use seed_model::{
    Closure, Digest, Image, ImagePlan, OutputRequest, PackRequest, PublicKey, PublishRequest, Published,
    SelectionRequest, SignRequest, Signed, Stage,
};
use wasmtime::component::Instance;
use wasmtime::{Result, Store};

use crate::call::Callable;
use crate::capabilities::{Capabilities, Silent};
use crate::description::Description;
use crate::error::PluginError;
use crate::inspect::Inspection;
use crate::state::State;
use crate::v0_1::Exports;

/// Where the machine code of a component came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// From the cache.
    Cache,
    /// It was compiled now.
    Compiled {
        /// Whether the cache has it from now on.
        kept: bool,
    },
}

/// A component, ready to be called. Each call has a fresh instance in a store of its own, so calls know nothing of
/// each other and can be made from several threads.
#[derive(Clone)]
pub struct Plugin {
    callable: Callable,
    inspection: Inspection,
    description: Description,
    origin: Origin,
}

impl Plugin {
    /// Asks a component for its description, without any capability.
    pub(crate) fn new(
        callable: Callable,
        inspection: Inspection,
        origin: Origin,
    ) -> Result<Self, PluginError> {
        // Messages of `describe` go into its error, if there is one, and nowhere else.
        let nothing = Capabilities::none(Arc::new(Silent));
        let describe = |exports: &Exports, store: &mut _, instance: &_| exports.describe(store, instance);
        let description = callable.call(None, "describe", &nothing, describe)?;
        Ok(Self { callable, inspection, description, origin })
    }

    /// Digest of the component's bytes, computed when they were loaded.
    pub fn digest(&self) -> Digest {
        self.callable.digest
    }

    /// The stage that it was loaded for.
    pub fn stage(&self) -> Stage {
        self.callable.stage
    }

    /// What its bytes say: imports, exports, size.
    pub fn inspection(&self) -> &Inspection {
        &self.inspection
    }

    /// What it says of itself.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// Where its machine code came from.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// Selection, first part: what to build.
    pub fn select_outputs(
        &self,
        capabilities: &Capabilities,
        request: &SelectionRequest,
    ) -> Result<Vec<OutputRequest>, PluginError> {
        self.call("outputs", capabilities, |exports, store, instance| {
            exports.outputs(store, instance, request)
        })
    }

    /// Selection, second part: which path goes into which layer.
    pub fn plan(
        &self,
        capabilities: &Capabilities,
        request: &SelectionRequest,
        closure: &Closure,
    ) -> Result<ImagePlan, PluginError> {
        self.call("plan", capabilities, |exports, store, instance| {
            exports.plan(store, instance, request, closure)
        })
    }

    /// Packing.
    pub fn pack(&self, capabilities: &Capabilities, request: &PackRequest) -> Result<Image, PluginError> {
        self.call("pack", capabilities, |exports, store, instance| exports.pack(store, instance, request))
    }

    /// Signing: the public key behind a granted name. `config` is JSON.
    pub fn describe_key(
        &self,
        capabilities: &Capabilities,
        config: &str,
        name: &str,
    ) -> Result<PublicKey, PluginError> {
        self.call("describe-key", capabilities, |exports, store, instance| {
            exports.describe_key(store, instance, config, name)
        })
    }

    /// Signing.
    pub fn sign(&self, capabilities: &Capabilities, request: &SignRequest) -> Result<Signed, PluginError> {
        self.call("sign", capabilities, |exports, store, instance| exports.sign(store, instance, request))
    }

    /// Publishing: the repositories that `publish` will write to. `config` is JSON, `name` the image's.
    pub fn targets(
        &self,
        capabilities: &Capabilities,
        config: &str,
        name: &str,
    ) -> Result<Vec<String>, PluginError> {
        self.call("targets", capabilities, |exports, store, instance| {
            exports.targets(store, instance, config, name)
        })
    }

    /// Publishing.
    pub fn publish(
        &self,
        capabilities: &Capabilities,
        request: &PublishRequest,
    ) -> Result<Vec<Published>, PluginError> {
        self.call("publish", capabilities, |exports, store, instance| {
            exports.publish(store, instance, request)
        })
    }

    fn call<R: Send>(
        &self,
        call: &'static str,
        capabilities: &Capabilities,
        body: impl FnOnce(&Exports, &mut Store<State>, &Instance) -> Result<R> + Send,
    ) -> Result<R, PluginError> {
        let name = (self.description.name.clone(), self.description.version.to_string());
        self.callable.call(Some(name), call, capabilities, body)
    }
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plugin")
            .field("inspection", &self.inspection)
            .field("description", &self.description)
            .finish_non_exhaustive()
    }
}
