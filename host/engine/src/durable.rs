//! Files that are whole or not there, whatever happens while they are written.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

/// Makes `path` a file of `content`: a temporary file beside it is written, synced and renamed. After a crash,
/// `path` is what it was before or what it is now.
pub(crate) fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut temporary =
        tempfile::Builder::new().prefix(".seed-").permissions(permissions()).tempfile_in(directory)?;
    temporary.write_all(content)?;
    temporary.as_file().sync_all()?;
    temporary.persist(path).map_err(|error| error.error)?;
    File::open(directory)?.sync_all()
}

/// Readable for all whom the umask lets read, as files that are committed should be.
fn permissions() -> std::fs::Permissions {
    use std::os::unix::fs::PermissionsExt;
    std::fs::Permissions::from_mode(0o666)
}
