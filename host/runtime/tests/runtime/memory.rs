//! Capabilities in memory.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read, Write};
use std::sync::{Arc, Mutex};

use seed_model::{
    Algorithm, Descriptor, Digest, File, FileContent, LayerJob, PackedLayer, PublicKey, StageError, Written,
};
use seed_runtime::capabilities::{Archive, BlobWriter, Blobs, Capabilities, Files, Keyring};

use crate::support::nothing;

type Store = Arc<Mutex<BTreeMap<Digest, Vec<u8>>>>;

/// Blobs, layers whose tar is their index, and the files of the last directory or tar that was written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    pub(crate) blobs: Store,
    pub(crate) files: Arc<Mutex<Vec<File>>>,
}

impl Memory {
    /// Everything that can be had without a network.
    pub(crate) fn capabilities(&self) -> Capabilities {
        let memory = Arc::new(self.clone());
        Capabilities {
            archive: Some(memory.clone()),
            blobs: Some(memory.clone()),
            keyring: Some(memory.clone()),
            files: Some(memory),
            ..nothing()
        }
    }

    /// A blob's bytes.
    pub(crate) fn blob(&self, digest: Digest) -> Vec<u8> {
        self.blobs.lock().unwrap()[&digest].clone()
    }
}

impl Archive for Memory {
    fn pack_layers(&self, jobs: &[LayerJob]) -> Result<Vec<PackedLayer>, StageError> {
        let pack = |job: &LayerJob| {
            let tar = format!("layer {}", job.layer);
            let blob = format!("{tar} as {:?}", job.codec);
            self.put(blob.as_bytes())?;
            let descriptor = Descriptor::of("application/vnd.oci.image.layer.v1.tar+gzip", blob.as_bytes());
            Ok(PackedLayer { descriptor, diff_id: Digest::of(tar.as_bytes()) })
        };
        jobs.iter().map(pack).collect()
    }

    fn layer_size(&self, layer: u32) -> u64 {
        u64::from(layer) << 20
    }

    fn open_layer(&self, layer: u32) -> Result<Box<dyn Read + Send>, StageError> {
        Ok(Box::new(Cursor::new(format!("layer {layer}"))))
    }
}

impl Blobs for Memory {
    fn put(&self, content: &[u8]) -> Result<Digest, StageError> {
        let digest = Digest::of(content);
        self.blobs.lock().unwrap().insert(digest, content.to_vec());
        Ok(digest)
    }

    fn size(&self, digest: Digest) -> Option<u64> {
        self.blobs.lock().unwrap().get(&digest).map(|blob| blob.len() as u64)
    }

    fn open(&self, digest: Digest, offset: u64, length: u64) -> Result<Box<dyn Read + Send>, StageError> {
        let mut blob = Cursor::new(self.blob(digest));
        blob.set_position(offset);
        Ok(Box::new(blob.take(length)))
    }

    fn writer(&self) -> Result<Box<dyn BlobWriter>, StageError> {
        Ok(Box::new(MemoryWriter { memory: self.clone(), content: Vec::new() }))
    }
}

struct MemoryWriter {
    memory: Memory,
    content: Vec<u8>,
}

impl Write for MemoryWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.content.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl BlobWriter for MemoryWriter {
    fn finish(self: Box<Self>) -> Result<Digest, StageError> {
        self.memory.put(&self.content)
    }
}

impl Keyring for Memory {
    fn get(&self, name: &str) -> Result<PublicKey, StageError> {
        Ok(PublicKey { name: name.to_owned(), algorithm: Algorithm::EcdsaP256Sha256, spki: vec![1, 2, 3] })
    }

    fn sign(&self, name: &str, payload: &[u8]) -> Result<Vec<u8>, StageError> {
        Ok(format!("{name} signed {}", Digest::of(payload)).into_bytes())
    }
}

impl Files for Memory {
    fn write_directory(&self, path: &str, marker: &str, files: &[File]) -> Result<Written, StageError> {
        assert!(files.iter().any(|file| file.path == marker), "{path} has its marker");
        self.write_tar(path, files)
    }

    fn write_tar(&self, _path: &str, files: &[File]) -> Result<Written, StageError> {
        for file in files {
            if let FileContent::Blob(blob) = file.content {
                self.size(blob).ok_or_else(|| StageError::Failed(format!("no blob {blob}")))?;
            }
        }
        *self.files.lock().unwrap() = files.to_vec();
        Ok(Written { files: u32::try_from(files.len()).unwrap(), unchanged: 0, bytes: 0 })
    }
}
