//! Signers that vouch for something else, or attach something to it.

use insta::assert_snapshot;
use seed_engine::RunOptions;
use seed_model::{Artifact, Attachment, Descriptor, Digest, PayloadFormat, PublicKey, Signature, Signed};
use seed_report::Kind;
use seed_tests::scripted::ScriptedSigner;
use seed_trust::PrivateKey;
use serde_json::{Value, json};

use crate::support::Project;

const PUBLISH: &str = r#"[[publish]]
plugin = "builtin:oci-layout"
config = { path = "result" }
"#;

const SIGN: &str = "[[sign]]\nplugin = \"./signer.wasm\"\n";
const KEY: &str = "[keys.release]\ncosign = { file = \"cosign.key\", password = { file = \"password\" } }\n";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const EMPTY: &str = "application/vnd.oci.empty.v1+json";

/// A signer with a key of its own that signs the image's digest.
struct Case {
    image: Descriptor,
    own: PrivateKey,
    release: PrivateKey,
    signer: ScriptedSigner,
    /// What follows the section of the signer.
    more: &'static str,
}

impl Case {
    fn new() -> Self {
        let project = Project::site(PUBLISH);
        let digest = project.run(&RunOptions::default()).unwrap().digest;
        let blob = std::fs::read(project.path(&format!("result/blobs/sha256/{}", digest.hex()))).unwrap();
        let image = Descriptor::of(MANIFEST, &blob);
        let (own, release) = (PrivateKey::generate().unwrap(), PrivateKey::generate().unwrap());
        let key = own.public("own");
        let mut case = Self {
            image,
            own,
            release,
            signer: ScriptedSigner {
                blobs: Vec::new(),
                key,
                signed: Signed { artifacts: Vec::new(), signatures: Vec::new(), verify_with: None },
            },
            more: "",
        };
        case.sign(case.image.digest);
        case
    }

    fn sign(&mut self, digest: Digest) {
        let payload = digest.to_string().into_bytes();
        let signature = Signature {
            key: self.signer.key.clone(),
            format: PayloadFormat::SubjectDigest,
            signature: self.own.sign(&payload),
            payload,
        };
        self.signer.signed.signatures = vec![signature];
    }

    fn attach(&mut self, manifest: &Value, media_type: &str, attachment: Attachment) {
        let manifest = serde_json::to_vec(manifest).unwrap();
        let artifact = Artifact { manifest: Descriptor::of(media_type, &manifest), attachment };
        self.signer.blobs.extend([manifest, b"{}".to_vec()]);
        self.signer.signed.artifacts.push(artifact);
    }

    fn referrer(&self) -> Value {
        let mut document = document();
        document["subject"] = json!(self.image);
        document
    }

    fn tag(&self, end: &str) -> Attachment {
        Attachment::AppendingTag(format!("sha256-{}.{end}", self.image.digest.hex()))
    }

    fn project(&self) -> Project {
        let project = Project::site(&format!("{PUBLISH}{SIGN}{}", self.more));
        project.write("signer.wasm", self.signer.build());
        project.write("cosign.key", self.release.to_encrypted_pem(b"secret").unwrap());
        project.write("password", "secret");
        project
    }

    fn refused(&self, name: &str) -> String {
        let project = self.project();
        let Err(error) = project.run(&RunOptions::default()) else { panic!("{name}: it was published") };
        let (kind, text) = project.rendered(&error);
        assert_eq!(kind, Kind::Signature, "{name}: {text}");
        assert!(!project.path("result").exists(), "{name}");
        let (_, reason) = text.lines().next().unwrap().split_once("): ").unwrap();
        let reason = reason.replace(&self.image.digest.hex(), "IMAGE");
        format!("{name}: {reason}")
    }
}

/// A document of a kind that the host does not know.
fn document() -> Value {
    let empty = Descriptor::of(EMPTY, b"{}");
    json!({
        "schemaVersion": 2, "mediaType": MANIFEST, "artifactType": "application/vnd.acme",
        "config": empty, "layers": [empty],
    })
}

type Change = fn(&mut Case);

#[test]
fn a_signer_with_a_key_of_its_own_may_attach_documents() {
    let mut case = Case::new();
    case.attach(&case.referrer(), MANIFEST, Attachment::Referrer);
    case.attach(&document(), MANIFEST, case.tag("att"));
    let project = case.project();
    let run = project.run(&RunOptions::default());
    let run = run.unwrap_or_else(|error| panic!("{}", project.rendered(&error).1));
    assert_eq!((run.signatures[0].key.as_str(), run.signatures[0].subject), ("own", case.image.digest));
}

#[test]
fn signatures_cover_the_image_and_documents_are_about_it() {
    let cases: [(&str, Change); 13] = [
        ("no signature", |case| case.signer.signed.signatures.clear()),
        ("another image", |case| case.sign(Digest::of(b"another"))),
        ("another key than it describes", |case| {
            case.own = PrivateKey::generate().unwrap();
            case.sign(case.image.digest);
        }),
        ("the name of a key that it was not granted", |case| {
            case.more = KEY;
            case.signer.key = PublicKey { name: "release".to_owned(), ..case.own.public("release") };
            case.sign(case.image.digest);
        }),
        ("the name of a key that it was granted", |case| {
            case.more = "grants = { keys = [\"release\"] }\n[keys.release]\ncosign = { file = \"cosign.key\", password = { file = \"password\" } }\n";
            case.signer.key = case.own.public("release");
            case.sign(case.image.digest);
        }),
        ("a tag that people pull", |case| {
            case.attach(&document(), MANIFEST, Attachment::AppendingTag("latest".to_owned()));
        }),
        ("the tag of another image", |case| {
            let tag = format!("sha256-{}.sig", Digest::of(b"another").hex());
            case.attach(&document(), MANIFEST, Attachment::AppendingTag(tag));
        }),
        ("something else at the tag for signatures", |case| {
            case.attach(&document(), MANIFEST, case.tag("sig"));
        }),
        ("a tag with more", |case| case.attach(&document(), MANIFEST, case.tag("sig.v1"))),
        ("a referrer of nothing", |case| case.attach(&document(), MANIFEST, Attachment::Referrer)),
        ("a referrer of another image", |case| {
            let mut document = document();
            document["subject"] = json!(Descriptor::of(MANIFEST, b"another"));
            case.attach(&document, MANIFEST, Attachment::Referrer);
        }),
        ("a list of manifests", |case| {
            let index = "application/vnd.oci.image.index.v1+json";
            let document = json!({
                "schemaVersion": 2, "mediaType": index, "manifests": [case.image], "subject": case.image,
            });
            case.attach(&document, index, Attachment::Referrer);
        }),
        ("a blob of no run", |case| {
            let mut document = case.referrer();
            document["layers"] = json!([Descriptor::of(EMPTY, b"never put")]);
            case.attach(&document, MANIFEST, Attachment::Referrer);
        }),
    ];
    let refused = |(name, change): &(&str, Change)| {
        let mut case = Case::new();
        change(&mut case);
        // Keys are made anew each time.
        case.refused(name)
    };
    assert_snapshot!(cases.iter().map(refused).collect::<Vec<_>>().join("\n"));
}
