//! The four stages of a pipeline, and their names in the pipeline file, in sentences and in the contract.

/// A stage of the pipeline. Each is done by one component that targets the stage's world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Layer selection: world `layer-selector`.
    Select,
    /// Packing: world `packer`.
    Pack,
    /// Signing: world `signer`.
    Sign,
    /// Publishing: world `publisher`.
    Publish,
}

impl Stage {
    /// All stages, in the order in which they run.
    pub const ALL: [Self; 4] = [Self::Select, Self::Pack, Self::Sign, Self::Publish];

    /// The name of its section in the pipeline file, the lock and records.
    pub const fn section(self) -> &'static str {
        match self {
            Self::Select => "select",
            Self::Pack => "pack",
            Self::Sign => "sign",
            Self::Publish => "publish",
        }
    }

    /// What is done in it, for messages: a selection plugin, the packing stage.
    pub const fn activity(self) -> &'static str {
        match self {
            Self::Select => "selection",
            Self::Pack => "packing",
            Self::Sign => "signing",
            Self::Publish => "publishing",
        }
    }

    /// The name of the stage's world in `wit/worlds.wit`.
    pub const fn world(self) -> &'static str {
        match self {
            Self::Select => "layer-selector",
            Self::Pack => "packer",
            Self::Sign => "signer",
            Self::Publish => "publisher",
        }
    }

    /// The interface that a component of this stage exports, beside `plugin`.
    pub const fn interface(self) -> &'static str {
        match self {
            Self::Select => "layer-selection",
            Self::Pack => "packing",
            Self::Sign => "signing",
            Self::Publish => "publishing",
        }
    }

    /// The header of the stage's entry in the pipeline file, for messages that say where to add a line.
    pub const fn table(self) -> &'static str {
        match self {
            Self::Select => "[select]",
            Self::Pack => "[pack]",
            Self::Sign => "[[sign]]",
            Self::Publish => "[[publish]]",
        }
    }

    /// Whether the stage is a pure function of its input: fuel instead of time, no clock, no randomness.
    pub const fn is_deterministic(self) -> bool {
        matches!(self, Self::Select | Self::Pack)
    }
}
