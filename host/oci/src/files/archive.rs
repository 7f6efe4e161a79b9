//! One tar of the files.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::path::Path;

use rustix::fs::FileType;
use seed_disk::{Directory, partial};
use seed_model::{File, Written};

use crate::files::content::{EmitError, content_size, emit_content, replace, same_content};
use crate::files::error::FilesError;
use crate::files::names::Names;
use crate::files::target::Target;
use crate::store::BlobStore;
use crate::tar::{BLOCK, EntryType, Header, begins_with_file, write_end, write_padding};

/// The mode of every file in a tar.
const MODE: u32 = 0o644;

/// Makes `target` an uncompressed tar of `files`, in their order. Nothing is written where it is that already. A file that
/// is no such tar is refused.
pub fn write_tar(store: &BlobStore, target: &Target, files: &[File]) -> Result<Written, FilesError> {
    Names::of(files)?;
    let Target { parent, name, path } = target;
    partial::remove_abandoned_claim(parent, name);
    match parent.kind(name).map_err(FilesError::io("look at", path))? {
        Some(FileType::Directory) => {
            return Err(FilesError::NotOurs { path: path.clone(), reason: "it is a directory".to_owned() });
        }
        Some(FileType::RegularFile) if same_tar(store, target, files)? => {
            return Ok(Written { files: 0, unchanged: 1, bytes: 0 });
        }
        Some(FileType::RegularFile) if !is_ours(parent, path, name)? => {
            return Err(FilesError::NotOurs {
                path: path.clone(),
                reason: "`seed` did not write the file".to_owned(),
            });
        }
        _ => {}
    }
    let bytes = replace(parent, name, path, |out| emit_tar(store, files, out, true))?;
    parent.sync().map_err(FilesError::io("sync the directory of", path))?;
    Ok(Written { files: 1, unchanged: 0, bytes })
}

/// Whether a tar of this module, or nothing at all, is in a file. A mark would change its bytes.
fn is_ours(parent: &Directory, path: &Path, name: &OsStr) -> Result<bool, FilesError> {
    let mut beginning = Vec::new();
    let file = parent.read(name).map_err(FilesError::io("open", path))?;
    file.take(BLOCK as u64).read_to_end(&mut beginning).map_err(FilesError::io("read", path))?;
    let block = <[u8; BLOCK]>::try_from(beginning);
    Ok(block.map_or_else(|beginning| beginning.is_empty(), |block| begins_with_file(&block, MODE)))
}

/// Writes an uncompressed tar of `files`, in their order, to `out`. When it fails, `out` has a part of it.
pub fn stream_tar(store: &BlobStore, files: &[File], out: &mut dyn Write) -> Result<(), FilesError> {
    Names::of(files)?;
    let out_error = |error: EmitError| error.at(Path::new("the tar"));
    emit_tar(store, files, out, true).map_err(out_error)?;
    out.flush().map_err(FilesError::io("write", "the tar"))
}

fn emit_tar(store: &BlobStore, files: &[File], out: &mut dyn Write, check: bool) -> Result<(), EmitError> {
    let mut out = out;
    for file in files {
        let size = content_size(store, &file.content).map_err(EmitError::Store)?;
        let header =
            Header { path: file.path.as_bytes(), kind: EntryType::File(size), mode: MODE, uid: 0, gid: 0 };
        header.write(&mut out).map_err(EmitError::Output)?;
        emit_content(store, &file.content, out, check)?;
        write_padding(&mut out, size).map_err(EmitError::Output)?;
    }
    write_end(&mut out).map_err(EmitError::Output)
}

/// Whether the file at `target` is already the tar of `files`.
fn same_tar(store: &BlobStore, target: &Target, files: &[File]) -> Result<bool, FilesError> {
    let Target { parent, name, path } = target;
    let existing = parent.read(name).map_err(FilesError::io("open", path))?;
    let size = existing.metadata().map_err(FilesError::io("look at", path))?.len();
    same_content(existing, path, size, |out| emit_tar(store, files, out, false))
}
