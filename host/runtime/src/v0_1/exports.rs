//! The exports of a component, each as a function from `seed-model` to `seed-model`.

use seed_model::{self as model, Stage};
use wasmtime::component::{Instance, InstancePre};
use wasmtime::{Result, Store, bail};

use super::bindings::exports::seed::pipeline::{layer_selection, packing, plugin, publishing, signing};
use super::bindings::seed::pipeline::types::StageError;
use super::convert;
use crate::description::Description;
use crate::error::InvalidOutput;
use crate::failure::{Misshapen, Returned, reason};
use crate::state::State;

/// Where the exports of a component are.
#[derive(Clone)]
pub(crate) struct Exports {
    plugin: plugin::GuestIndices,
    stage: StageExports,
}

#[derive(Clone)]
enum StageExports {
    Select(layer_selection::GuestIndices),
    Pack(packing::GuestIndices),
    Sign(signing::GuestIndices),
    Publish(publishing::GuestIndices),
}

/// The guest of one stage; calling an export of another stage is a mistake of the caller, and an error.
macro_rules! guest {
    ($exports:expr, $variant:ident, $store:expr, $instance:expr) => {
        match &$exports.stage {
            StageExports::$variant(indices) => fitting(indices.load(&mut *$store, $instance))?,
            _ => bail!("this component was not loaded for the stage `{}`", Stage::$variant.section()),
        }
    };
}

impl Exports {
    /// Finds the exports of a stage's world.
    pub(crate) fn new(pre: &InstancePre<State>, stage: Stage) -> Result<Self> {
        Ok(Self {
            plugin: plugin::GuestIndices::new(pre)?,
            stage: match stage {
                Stage::Select => StageExports::Select(layer_selection::GuestIndices::new(pre)?),
                Stage::Pack => StageExports::Pack(packing::GuestIndices::new(pre)?),
                Stage::Sign => StageExports::Sign(signing::GuestIndices::new(pre)?),
                Stage::Publish => StageExports::Publish(publishing::GuestIndices::new(pre)?),
            },
        })
    }

    /// Checks the types of all exports, also of those that are not called now, and calls `describe`.
    pub(crate) fn describe(&self, store: &mut Store<State>, instance: &Instance) -> Result<Description> {
        match &self.stage {
            StageExports::Select(indices) => fitting(indices.load(&mut *store, instance)).map(drop)?,
            StageExports::Pack(indices) => fitting(indices.load(&mut *store, instance)).map(drop)?,
            StageExports::Sign(indices) => fitting(indices.load(&mut *store, instance)).map(drop)?,
            StageExports::Publish(indices) => fitting(indices.load(&mut *store, instance)).map(drop)?,
        }
        let guest = fitting(self.plugin.load(&mut *store, instance))?;
        checked(convert::description(guest.call_describe(store)?))
    }

    pub(crate) fn outputs(
        &self,
        store: &mut Store<State>,
        instance: &Instance,
        request: &model::SelectionRequest,
    ) -> Result<Vec<model::OutputRequest>> {
        let guest = guest!(self, Select, store, instance);
        let outputs = returned(guest.call_outputs(store, &request.into())?)?;
        Ok(outputs.into_iter().map(Into::into).collect())
    }

    pub(crate) fn plan(
        &self,
        store: &mut Store<State>,
        instance: &Instance,
        request: &model::SelectionRequest,
        closure: &model::Closure,
    ) -> Result<model::ImagePlan> {
        let guest = guest!(self, Select, store, instance);
        checked(convert::image_plan(returned(guest.call_plan(store, &request.into(), &closure.into())?)?))
    }

    pub(crate) fn pack(
        &self,
        store: &mut Store<State>,
        instance: &Instance,
        request: &model::PackRequest,
    ) -> Result<model::Image> {
        let guest = guest!(self, Pack, store, instance);
        checked(convert::image(returned(guest.call_pack(store, &request.into())?)?))
    }

    pub(crate) fn describe_key(
        &self,
        store: &mut Store<State>,
        instance: &Instance,
        config: &str,
        name: &str,
    ) -> Result<model::PublicKey> {
        let guest = guest!(self, Sign, store, instance);
        Ok(returned(guest.call_describe_key(store, config, name)?)?.into())
    }

    pub(crate) fn sign(
        &self,
        store: &mut Store<State>,
        instance: &Instance,
        request: &model::SignRequest,
    ) -> Result<model::Signed> {
        let guest = guest!(self, Sign, store, instance);
        checked(convert::signed(returned(guest.call_sign(store, &request.into())?)?))
    }

    pub(crate) fn targets(
        &self,
        store: &mut Store<State>,
        instance: &Instance,
        config: &str,
        name: &str,
    ) -> Result<Vec<String>> {
        let guest = guest!(self, Publish, store, instance);
        returned(guest.call_targets(store, config, name)?)
    }

    pub(crate) fn publish(
        &self,
        store: &mut Store<State>,
        instance: &Instance,
        request: &model::PublishRequest,
    ) -> Result<Vec<model::Published>> {
        let guest = guest!(self, Publish, store, instance);
        checked(convert::published(returned(guest.call_publish(store, &request.into())?)?))
    }
}

/// An export of another type as an error of the call.
fn fitting<T>(guest: Result<T>) -> Result<T> {
    guest.map_err(|error| wasmtime::Error::new(Misshapen(reason(&error))))
}

/// The component's own error as an error of the call.
fn returned<T>(result: Result<T, StageError>) -> Result<T> {
    result.map_err(|error| wasmtime::Error::new(Returned(error.into())))
}

/// A breach of the contract as an error of the call.
fn checked<T>(result: Result<T, InvalidOutput>) -> Result<T> {
    result.map_err(wasmtime::Error::new)
}
