//! Why a layer cannot be packed.

use std::io;

use seed_report::Kind;

use crate::codec::CodecError;
use crate::contents::ContentsError;
use crate::store::StoreError;
use crate::tree::TreeError;

/// A layer that cannot be packed.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// Its contents do not fit together.
    #[error(transparent)]
    Contents(#[from] ContentsError),
    /// A path cannot be read, or is not what it was.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// The codec cannot be used.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The threads cannot be started.
    #[error("cannot start threads for packing")]
    Threads(#[source] io::Error),
}

impl PackError {
    /// What kind of failure it is. A tree that cannot be packed is the fault of its source.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Tree(_) => Kind::Source,
            Self::Contents(_) | Self::Codec(_) | Self::Store(_) | Self::Threads(_) => Kind::Failed,
        }
    }

    /// What the user can do about it, if that is known.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::Store(error) => error.help(),
            Self::Tree(TreeError::Hash { .. }) => Some(
                "the path was modified after Nix computed its hash: run again, or repair the store with \
                 `nix-store --verify --check-contents --repair`",
            ),
            _ => None,
        }
    }
}
