//! Reads a pipeline file from disk.

use std::io;
use std::path::{Path, PathBuf};

use seed_report::{Kind, Problems, Report, SourceFile};

use crate::pipeline::model::Pipeline;

/// The largest pipeline file in bytes: hundreds of times what anybody writes, and harmless to parse.
const MAX_SIZE: u64 = 1 << 20;

/// Why a pipeline could not be had from a file.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum PipelineFileError {
    /// There is no such file.
    #[error("pipeline file not found: {}", path.display())]
    #[diagnostic(
        code("seed::pipeline::not-found"),
        help(
            "run `seed init` to write one for the flake in this directory, or name another file: `seed run PATH`"
        )
    )]
    NotFound { path: PathBuf },
    /// It cannot be read.
    #[error("cannot read the pipeline file {}", path.display())]
    #[diagnostic(code("seed::pipeline::unreadable"))]
    Unreadable { path: PathBuf, source: io::Error },
    /// It is larger than 1 MiB.
    #[error("the pipeline file {} is larger than 1 MiB", path.display())]
    #[diagnostic(code("seed::pipeline::too-large"), help("check that it is a pipeline file"))]
    TooLarge { path: PathBuf },
    /// It is not text.
    #[error("the pipeline file {} is not UTF-8: invalid byte at offset {offset}", path.display())]
    #[diagnostic(code("seed::pipeline::not-text"), help("save the file as UTF-8"))]
    NotText {
        path: PathBuf,
        /// The first bad byte.
        offset: usize,
    },
    /// Its content is wrong.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Problems(#[from] Problems),
}

impl Report for PipelineFileError {
    fn kind(&self) -> Kind {
        Kind::Usage
    }
}

impl Pipeline {
    /// Reads and checks the file at `path`, at most 1 MiB.
    pub fn load(path: &Path) -> Result<Self, PipelineFileError> {
        let text = read(path)?;
        let file = SourceFile { path: path.to_owned(), text: text.into() };
        Ok(Self::parse(&file)?)
    }
}

fn read(path: &Path) -> Result<String, PipelineFileError> {
    let unreadable = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => PipelineFileError::NotFound { path: path.to_owned() },
        io::ErrorKind::FileTooLarge => PipelineFileError::TooLarge { path: path.to_owned() },
        _ => PipelineFileError::Unreadable { path: path.to_owned(), source },
    };
    let bytes = seed_disk::read_bounded(path, MAX_SIZE).map_err(unreadable)?;
    String::from_utf8(bytes).map_err(|error| PipelineFileError::NotText {
        path: path.to_owned(),
        offset: error.utf8_error().valid_up_to(),
    })
}
