//! Who receives a tree.

/// Receives the nodes of a tree, parents first. Paths are relative to the tree's root, which is the empty path.
/// An error's text is what is the matter with the node.
pub(crate) trait NarSink {
    /// A directory; its entries follow.
    fn directory(&mut self, path: &[u8]) -> Result<(), String>;
    /// A symbolic link.
    fn symlink(&mut self, path: &[u8], target: &[u8]) -> Result<(), String>;
    /// A regular file; `size` bytes follow.
    fn file(&mut self, path: &[u8], executable: bool, size: u64) -> Result<(), String>;
    /// The next bytes of that file.
    fn contents(&mut self, _bytes: &[u8]) -> Result<(), String> {
        Ok(())
    }
    /// The end of that file.
    fn file_end(&mut self, _size: u64) -> Result<(), String> {
        Ok(())
    }
}

/// Only the hash is wanted.
impl NarSink for () {
    fn directory(&mut self, _: &[u8]) -> Result<(), String> {
        Ok(())
    }
    fn symlink(&mut self, _: &[u8], _: &[u8]) -> Result<(), String> {
        Ok(())
    }
    fn file(&mut self, _: &[u8], _: bool, _: u64) -> Result<(), String> {
        Ok(())
    }
}
