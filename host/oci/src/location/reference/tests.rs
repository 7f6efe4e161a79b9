//! The grammar, row by row.

use super::*;

const HEX: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// What a text means, in one line. `D` stands for a digest.
fn read(text: &str) -> String {
    let text = text.replace("@D", &format!("@sha256:{HEX}"));
    let shown = match text.parse() {
        Ok(Reference::Path(PathReference { form, path, name, digest })) => {
            let (name, digest) = (name.unwrap_or_default(), digest.map_or("", |_| "D"));
            format!("{form:?} {} [{name}] {digest}", path.display())
        }
        Ok(Reference::Registry(RegistryReference { registry, repository, tag, digest })) => {
            let (tag, digest) = (tag.unwrap_or_default(), digest.map_or("", |_| "D"));
            format!("Registry {registry} {repository} [{tag}] {digest}")
        }
        Err(ReferenceError { reason, .. }) => format!("error: {reason}"),
    };
    shown.trim_end().replace(HEX, "HEX")
}

#[track_caller]
fn check(rows: &[(&str, &str)]) {
    for (text, meaning) in rows {
        assert_eq!(read(text), *meaning, "{text}");
    }
}

#[test]
fn paths_have_no_slash_or_begin_with_a_dot_or_a_slash() {
    check(&[
        ("result", "Any result []"),
        ("hello.tar", "Any hello.tar []"),
        ("ghcr.io", "Any ghcr.io []"),
        (".", "Any . []"),
        ("..", "Any .. []"),
        ("./ghcr.io/org/app", "Any ./ghcr.io/org/app []"),
        ("../out/app.tar", "Any ../out/app.tar []"),
        ("/srv/app", "Any /srv/app []"),
        ("result:v1", "Any result [v1]"),
        ("layout:v1", "Any layout [v1]"),
        ("./result:ghcr.io/org/app:v1", "Any ./result [ghcr.io/org/app:v1]"),
        ("result@D", "Any result [] D"),
        ("./result:v1@D", "Any ./result [v1] D"),
        ("./me@home/result", "Any ./me@home/result []"),
        ("me@home", "Any me@home []"),
        ("sha256:1234", "Any sha256 [1234]"),
        ("./oci:v1", "Any ./oci [v1]"),
    ]);
}

#[test]
fn forms_say_what_a_path_is() {
    check(&[
        ("oci:result", "Layout result []"),
        ("oci:out/result:v1", "Layout out/result [v1]"),
        ("oci:/srv/app:org/app:v1@D", "Layout /srv/app [org/app:v1] D"),
        ("oci:ghcr.io/org/app:v1", "Layout ghcr.io/org/app [v1]"),
        ("oci:oci", "Layout oci []"),
        ("oci-archive:hello.tar:v1", "OciArchive hello.tar [v1]"),
        ("docker-archive:out/hello.tar", "DockerArchive out/hello.tar []"),
        (
            "docker-archive:hello.tar:localhost:5000/app:v1@D",
            "DockerArchive hello.tar [localhost:5000/app:v1] D",
        ),
    ]);
}

#[test]
fn everything_else_is_in_a_registry() {
    check(&[
        ("ghcr.io/org/app", "Registry ghcr.io org/app [latest]"),
        ("ghcr.io/org/app:v1", "Registry ghcr.io org/app [v1]"),
        ("ghcr.io/org/app@D", "Registry ghcr.io org/app [] D"),
        ("ghcr.io/org/app:v1@D", "Registry ghcr.io org/app [v1] D"),
        ("localhost/app", "Registry localhost app [latest]"),
        ("localhost:5000/a/b/c:V.1_-", "Registry localhost:5000 a/b/c [V.1_-]"),
        ("[::1]:5000/app:v1", "Registry [::1]:5000 app [v1]"),
        ("[2001:db8::1]/app", "Registry [2001:db8::1] app [latest]"),
        ("127.0.0.1/app", "Registry 127.0.0.1 app [latest]"),
        ("docker.io/alpine", "Registry docker.io library/alpine [latest]"),
        ("docker.io/org/app", "Registry docker.io org/app [latest]"),
        ("a-b.example/a.b_c__d---e", "Registry a-b.example a.b_c__d---e [latest]"),
        ("oci.example/app", "Registry oci.example app [latest]"),
    ]);
}

#[test]
fn what_is_no_reference_is_refused() {
    let long = format!("ghcr.io/{}", "a".repeat(1020));
    insta::assert_snapshot!(
        [
            "",
            ":v1",
            "@D",
            "oci:",
            "oci::v1",
            "oci:@D",
            "result:",
            "oci:result:",
            "result:@D",
            "a\0b",
            "result@sha256:12",
            "oci:result@md5:1234",
            "result@D:v1",
            "./a@b:v1",
            "docker://ghcr.io/org/app:v1",
            "oci://ghcr.io/org/app",
            "https://ghcr.io/org/app",
            "library/alpine",
            "result/hello.tar",
            "~/hello.tar",
            ".../app",
            "result:org/app:v1",
            "ghcr.io/",
            "ghcr.io//app",
            "ghcr.io/Org/app",
            "ghcr.io/org/../app",
            "ghcr.io/org/app/",
            "ghcr.io/org/app:",
            "ghcr.io/org/app:v1:v2",
            "ghcr.io/org/app:.x",
            "ghcr.io/org/app@",
            "ghcr.io/org/app@v1",
            "ghcr.io/org/app@sha256:12",
            "ghcr.io/org/app@D@D",
            "ghcr.io/org/app@D:v1",
            "a.b?x/app",
            "user@ghcr.io/app",
            "ghcr.io:/app",
            "ghcr.io:0/app",
            "ghcr.io:65536/app",
            "ghcr.io:+1/app",
            ":5000/app",
            "-a.b/app",
            "a-.b/app",
            "a..b/app",
            "a.b./app",
            "[::1/app",
            "[::1]x:1/app",
            "[a.b]/app",
            "a_b.c/app",
            "\u{e4}.de/app",
            "ghcr.io/\u{e4}",
            &long,
        ]
        .map(|text| format!("{text:.40} -> {}", read(text)))
        .join("\n")
    );
}

#[test]
fn a_reference_is_written_as_it_is_read() {
    for text in
        ["result", "oci:result:v1", "oci-archive:a.tar", "docker-archive:./a.tar:org/app:v1", "./x@sha256:"]
    {
        let text = if text.ends_with("sha256:") { format!("{text}{HEX}") } else { text.to_owned() };
        let Reference::Path(reference) = text.parse().unwrap() else { panic!("{text} is a path") };
        assert_eq!(reference.to_string(), text);
    }
    for text in ["ghcr.io/org/app:v1", "localhost:5000/app:latest", "[::1]:5000/app:v1"] {
        assert_eq!(text.parse::<RegistryReference>().unwrap().to_string(), text);
    }
}

#[test]
fn a_path_must_exist_and_a_registry_is_never_one() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).display().to_string();
    std::fs::create_dir(path("layout")).unwrap();
    assert!(Reference::find(&path("layout:v1")).is_ok());
    // Without a form, a path may have colons; with one, the first ends it.
    std::fs::create_dir_all(path("host:5000/app:x")).unwrap();
    let found = |text: &str| match Reference::find(&path(text)).unwrap() {
        Reference::Path(PathReference { path: found, name, .. }) => {
            (found == Path::new(&path("host:5000/app:x")), name)
        }
        Reference::Registry(_) => panic!("{text} is a path"),
    };
    assert_eq!(found("host:5000/app:x"), (true, None));
    assert_eq!(found("host:5000/app:x:v1"), (true, Some("v1".to_owned())));
    assert_eq!(found("host:5000/app:x:a/b:c"), (true, Some("a/b:c".to_owned())));
    assert!(Reference::find(&path("host:5000/app:x:")).is_err());
    assert!(Reference::find(&format!("oci:{}", path("host:5000/app:x"))).is_err());
    assert_eq!(found("layout:host:5000/app:x"), (false, Some("host:5000/app:x".to_owned())));
    let error = |text: &str| Reference::find(text).unwrap_err().to_string();
    insta::assert_snapshot!(error("./missing.tar"));
    insta::assert_snapshot!(error("nowhere"));
    insta::assert_snapshot!(error("nowhere:v1"));
    insta::assert_snapshot!(error("oci:nowhere:v1"));
    assert!(Reference::find("nowhere.example/org/app").is_ok());
    assert_eq!(as_existing_path("nowhere.example/org/app"), None);
    assert_eq!(as_existing_path("./src"), None);
    assert_eq!(as_existing_path("localhost/app"), None);
}
