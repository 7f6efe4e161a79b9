//! A scripted signer.

use std::fmt::Write as _;

use seed_model::{Artifact, Attachment, PayloadFormat, PublicKey, Signature, Signed};

use crate::guest::{DATA, Guest, words};
use crate::scripted::memory::{Memory, put_all};

const BLOBS: &str = "seed:pipeline/blobs@0.1.0";

/// A signer.
#[derive(Clone, Debug)]
pub struct ScriptedSigner {
    /// Documents that it puts into the store.
    pub blobs: Vec<Vec<u8>>,
    /// What it says of every key that it is asked for.
    pub key: PublicKey,
    /// What it returns.
    pub signed: Signed,
}

impl ScriptedSigner {
    /// The component.
    pub fn build(&self) -> Vec<u8> {
        let mut memory = Memory::default();
        let mut body = put_all(&mut memory, &self.blobs);
        let Signed { artifacts, signatures, verify_with } = &self.signed;
        let artifacts: Vec<_> =
            artifacts.iter().map(|artifact| signed_artifact(&mut memory, artifact)).collect();
        let signatures: Vec<_> =
            signatures.iter().map(|signature| signature_record(&mut memory, signature)).collect();
        let (artifacts, signatures) = (memory.records(&artifacts), memory.records(&signatures));
        let verify_with = memory.option(verify_with.as_ref());
        let signed = memory.put(&words(&[&[0][..], &artifacts, &signatures, &verify_with].concat()));
        writeln!(body, "(i32.const {signed})").unwrap();
        let key = memory.public_key(&self.key);
        let key = memory.put(&[words(&[0]), key].concat());
        Guest::new("signer")
            .import(BLOBS, "put", "put", "(param i32 i32 i32)")
            .data(DATA, &memory.0)
            .body("sign", &body)
            .body("describe-key", &format!("(i32.const {key})"))
            .build()
    }
}

/// 96 bytes.
fn signed_artifact(memory: &mut Memory, artifact: &Artifact) -> Vec<u8> {
    let attachment = match &artifact.attachment {
        Attachment::AppendingTag(tag) => [&[0][..], &memory.bytes(tag.as_bytes())].concat(),
        Attachment::Referrer => vec![1, 0, 0],
    };
    [memory.descriptor(&artifact.manifest), words(&attachment), vec![0; 4]].concat()
}

/// 40 bytes.
fn signature_record(memory: &mut Memory, signature: &Signature) -> Vec<u8> {
    let format = match signature.format {
        PayloadFormat::SimpleSigning => 0,
        PayloadFormat::Dsse => 1,
        PayloadFormat::SubjectDigest => 2,
        PayloadFormat::SubjectBytes => 3,
    };
    let key = memory.public_key(&signature.key);
    let (payload, made) = (memory.bytes(&signature.payload), memory.bytes(&signature.signature));
    [key, words(&[&[format][..], &payload, &made].concat())].concat()
}
