//! Publishers that do not publish what they are given, or reach for what is not theirs.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::thread;

use seed_engine::RunOptions;
use seed_model::{Digest, File, FileContent, Published};
use seed_report::Kind;
use seed_tests::scripted::{ScriptedDirectory, ScriptedPublisher};

use crate::support::Project;

const PUBLISH: &str = r#"[[publish]]
plugin = "./publisher.wasm"
"#;

/// A project with this publisher, and what it is granted.
fn project(publisher: &ScriptedPublisher, grants: &str) -> Project {
    let project = Project::site(&format!("{PUBLISH}{grants}\n"));
    project.write("publisher.wasm", publisher.build());
    project
}

/// The digest of the image that these pipelines make.
fn image() -> Digest {
    let publish = "[[publish]]\nplugin = \"builtin:oci-layout\"\nconfig = { path = \"result\" }\n";
    Project::site(publish).run(&RunOptions::default()).unwrap().digest
}

fn place(reference: &str, digest: Digest) -> Published {
    let reference = reference.to_owned();
    Published { reference, digest, uploaded: 1, skipped: 0, bytes: 1, try_with: None }
}

fn file(path: &str, content: &str) -> File {
    File { path: path.to_owned(), content: FileContent::Bytes(content.as_bytes().to_vec()) }
}

fn directory(path: &str, marker: &str, files: Vec<File>) -> ScriptedDirectory {
    ScriptedDirectory { path: path.to_owned(), marker: marker.to_owned(), files }
}

/// The error of a run, which is one of publishing.
fn refused(project: &Project) -> String {
    let (kind, text) = project.rendered(&project.run(&RunOptions::default()).unwrap_err());
    assert!(matches!(kind, Kind::Publish | Kind::Plugin), "{text}");
    text
}

#[test]
fn a_directory_that_seed_did_not_make_is_not_replaced() {
    let publisher = ScriptedPublisher {
        directories: vec![directory("mine", "precious", vec![file("precious", "gone")])],
        ..ScriptedPublisher::default()
    };
    let project = project(&publisher, "grants = { write = [\"mine\"] }");
    project.write("mine/precious", "data");
    project.write("mine/notes/more", "data");
    let text = refused(&project);
    assert!(text.contains("`seed` did not make it"), "{text}");
    assert_eq!(fs::read_to_string(project.path("mine/precious")).unwrap(), "data");
    assert_eq!(fs::read_to_string(project.path("mine/notes/more")).unwrap(), "data");
}

#[test]
fn the_mark_of_the_host_is_not_a_plugins() {
    let publisher = ScriptedPublisher {
        directories: vec![directory("new", ".seed-directory", vec![file(".seed-directory", "")])],
        ..ScriptedPublisher::default()
    };
    let project = project(&publisher, "grants = { write = [\"new\"] }");
    let text = refused(&project);
    assert!(text.contains("reserved"), "{text}");
    assert!(!project.path("new").exists());
}

#[test]
fn a_file_that_seed_did_not_write_is_not_replaced() {
    let publisher = ScriptedPublisher {
        tars: vec![("./pipeline.toml".to_owned(), vec![file("a", "b")])],
        ..ScriptedPublisher::default()
    };
    let project = project(&publisher, "grants = { write = [\".\"] }");
    let before = fs::read(project.path("pipeline.toml")).unwrap();
    let text = refused(&project);
    assert!(text.contains("`seed` did not write the file"), "{text}");
    assert_eq!(fs::read(project.path("pipeline.toml")).unwrap(), before);
}

#[test]
fn a_path_that_is_not_granted_is_not_written() {
    for path in ["elsewhere", "mine/../elsewhere", "/elsewhere"] {
        let publisher = ScriptedPublisher {
            directories: vec![directory(path, "a", vec![file("a", "b")])],
            ..ScriptedPublisher::default()
        };
        let project = project(&publisher, "grants = { write = [\"mine\"] }");
        let text = refused(&project);
        assert!(text.contains("no `write` grant names it"), "{text}");
    }
}

#[test]
fn another_digest_than_the_images_is_not_reported() {
    let publisher = ScriptedPublisher {
        published: vec![place("somewhere", Digest::of(b"another image"))],
        ..ScriptedPublisher::default()
    };
    let project = project(&publisher, "");
    let text = refused(&project);
    assert!(text.contains("seed::publish::other"), "{text}");
    let lock = fs::read_to_string(project.path("seed.lock")).unwrap();
    assert!(!lock.contains("[published]"), "{lock}");
}

/// A registry that has this under every tag and digest.
fn registry(content: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut lines = BufReader::new(&stream);
            let mut line = String::new();
            while lines.read_line(&mut line).is_ok_and(|read| read > 2) {
                line.clear();
            }
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.oci.image.manifest.v1+json\r\n\
                 Content-Length: {}\r\nConnection: close\r\n\r\n",
                content.len()
            );
            let mut out = &stream;
            let _ = out.write_all(head.as_bytes()).and_then(|()| out.write_all(content));
            let _ = out.take(0).read(&mut [0]);
        }
    });
    address
}

#[test]
fn the_registry_is_asked_what_is_at_the_tag() {
    let other = br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":0},"layers":[]}"#;
    let address = registry(other);
    let reference = format!("{address}/org/app:v1");
    let publisher =
        ScriptedPublisher { published: vec![place(&reference, image())], ..ScriptedPublisher::default() };
    // A registry that the plugin cannot reach is not asked for it, either.
    project(&publisher, "").run(&RunOptions::default()).unwrap();
    let project = project(&publisher, &format!("grants = {{ http = [\"http://{address}\"] }}"));
    let text = refused(&project);
    let other = Digest::of(other).to_string();
    assert!(text.contains("seed::publish::other") && text.contains(&other), "{text}");
    let lock = fs::read_to_string(project.path("seed.lock")).unwrap();
    assert!(!lock.contains("[published]"), "{lock}");
}

#[test]
fn a_run_for_one_of_several_systems_reports_no_tag() {
    let published = |reference: &str| ScriptedPublisher {
        published: vec![place(reference, image())],
        ..ScriptedPublisher::default()
    };
    let run = |reference: &str| {
        let project = project(&published(reference), "");
        let record = Some(project.path("record.json"));
        let run = project.run(&RunOptions { record, ..RunOptions::default() });
        run.map(drop).map_err(|error| project.rendered(&error).1)
    };
    for reference in ["ghcr.io/org/app:v1", "ghcr.io/org/app"] {
        let text = run(reference).unwrap_err();
        assert!(text.contains("seed::publish::tagged"), "{text}");
    }
    assert_eq!(run(&format!("ghcr.io/org/app@{}", image())), Ok(()));
    assert_eq!(run("result"), Ok(()));
}

#[test]
fn repositories_are_bounded() {
    let targets = vec!["a.b/c".to_owned(); 1001];
    let project = project(&ScriptedPublisher { targets, ..ScriptedPublisher::default() }, "");
    let text = refused(&project);
    assert!(text.contains("names 1001 places, more than the limit of 1000"), "{text}");
}

#[test]
fn an_image_is_signed_for_no_repository_that_the_publisher_cannot_reach() {
    let publisher = ScriptedPublisher {
        targets: vec!["docker.io/library/nginx".to_owned(), "ghcr.io/org/app".to_owned()],
        published: vec![place("somewhere", image())],
        ..ScriptedPublisher::default()
    };
    let sign = "grants = { http = [\"https://ghcr.io\"] }\n\
        [[sign]]\nplugin = \"builtin:cosign-signer\"\ngrants = { keys = [\"release\"] }\n\
        [keys.release]\ncosign = { file = \"cosign.key\", password = { file = \"password\" } }\n";
    let project = project(&publisher, sign);
    let key = seed_trust::PrivateKey::generate().unwrap();
    project.write("cosign.key", key.to_encrypted_pem(b"secret").unwrap());
    project.write("password", "secret");
    let run = match project.run(&RunOptions::default()) {
        Ok(run) => run,
        Err(error) => panic!("{}", project.rendered(&error).1),
    };
    let commands = run.verify_with.join("\n");
    assert!(commands.contains("ghcr.io/org/app") && !commands.contains("nginx"), "{commands}");
}
