//! Docker and Podman, as far as they are needed: their command lines agree in all that is used here.

use std::ffi::OsString;
use std::io;
use std::io::BufWriter;
use std::path::Path;
use std::process::{Command, Stdio};

use seed_model::{Descriptor, Digest, File, FileContent, Image};
use seed_oci::BlobStore;
use seed_oci::document::canonical_json;
use seed_oci::files::{FilesError, stream_tar};
use seed_process::{Launcher, Program};
use seed_report::visible;
use serde_json::json;

use crate::commands::exec::error::ExecError;
use crate::commands::exec::options::{ContainerEngine, ExecOptions};

/// The working directory's path in the container.
const WORK: &str = "/work";

/// How much of a failed command's output an error quotes, in bytes.
const QUOTED: usize = 2000;

/// A container engine that answers.
#[derive(Debug)]
pub(super) struct Container {
    engine: ContainerEngine,
    launcher: Launcher,
    /// Whether the caller's own user is root in its containers.
    maps_user_to_root: bool,
}

impl Container {
    /// The wanted engine, or the first that works: Docker, then Podman.
    pub(super) fn find(launcher: &Launcher, wanted: Option<ContainerEngine>) -> Result<Self, ExecError> {
        let candidates = match wanted {
            Some(engine) => vec![engine],
            None => vec![ContainerEngine::Docker, ContainerEngine::Podman],
        };
        let mut tried = Vec::new();
        for engine in candidates {
            match Self::probe(launcher, engine) {
                Ok(container) => return Ok(container),
                Err(reason) => tried.push(format!("  {engine}: {reason}")),
            }
        }
        Err(ExecError::NoEngine { tried })
    }

    /// Asks the engine something that needs its service.
    fn probe(launcher: &Launcher, engine: ContainerEngine) -> Result<Self, String> {
        // Podman without privileges, or started by root, makes its caller root inside; so does Docker without privileges.
        let format = match engine {
            ContainerEngine::Docker => "{{.SecurityOptions}}",
            ContainerEngine::Podman => "{{.Host.Security.Rootless}}",
        };
        let mut command = launcher.command(Program::ContainerEngine, engine.program());
        match command.args(["info", "--format", format]).output() {
            Ok(output) if output.status.success() => {
                let rootless = String::from_utf8_lossy(&output.stdout).contains("name=rootless");
                let maps_user_to_root = rootless || engine == ContainerEngine::Podman;
                Ok(Self { engine, launcher: launcher.clone(), maps_user_to_root })
            }
            Ok(output) => Err(quote(&output.stderr)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err("it is not installed".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// For messages.
    pub(super) fn name(&self) -> &'static str {
        self.engine.program()
    }

    /// The first of these digests under which the engine has an image. An image's name there is the digest of its
    /// configuration, or that of its manifest where Docker keeps images in containerd's store.
    pub(super) fn image(&self, ids: &[Digest]) -> Result<Option<String>, ExecError> {
        for id in ids {
            let id = id.to_string();
            let mut command = self.command(&["image", "inspect", "--format", "{{.Id}}", &id]);
            let output = command.output().map_err(|source| self.start("image inspect", source))?;
            let hex = &id["sha256:".len()..];
            // The engine also takes abbreviated names, and tags that look like digests.
            let answer = String::from_utf8_lossy(&output.stdout);
            if output.status.success() && answer.trim().trim_start_matches("sha256:") == hex {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    /// Hands an image over whose blobs are all in the store. It gets no name: its digest is one.
    pub(super) fn load(&self, store: &BlobStore, image: &Image) -> Result<(), ExecError> {
        let start = |source| self.start("load", source);
        let mut child = self
            .command(&["load"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(start)?;
        let mut stdin = BufWriter::with_capacity(1 << 20, child.stdin.take().expect("it is a pipe"));
        let sent = stream_tar(store, &files(image), &mut stdin);
        drop(stdin);
        let output = child.wait_with_output().map_err(start)?;
        match sent {
            // The engine's own message says what broke the pipe.
            Err(FilesError::Io { .. }) | Ok(()) if !output.status.success() => Err(ExecError::Engine {
                command: format!("{} load", self.engine),
                output: quote(&output.stderr),
            }),
            sent => sent.map_err(|source| ExecError::Load { engine: self.name(), source }),
        }
    }

    /// That an image is not there although it was loaded.
    pub(super) fn lost(&self, digest: Digest) -> ExecError {
        ExecError::Engine {
            command: format!("{} load", self.engine),
            output: format!("{digest} is still missing after the load"),
        }
    }

    /// The program that runs the command.
    pub(super) fn run(&self, image: &str, options: &ExecOptions) -> Command {
        let mut command = self.command(&["run", "--rm", "--network", "none", "--pull", "never"]);
        command.args(["--interactive", "--workdir", WORK]);
        if options.terminal {
            command.arg("--tty");
        }
        command.arg("--mount").arg(mount(&options.directory));
        if !self.maps_user_to_root {
            command.arg("--user").arg(format!("{}:{}", options.user.0, options.user.1));
        }
        let mut arguments = options.command.as_slice();
        if let (true, Some((program, rest))) = (options.without_entrypoint, arguments.split_first()) {
            command.arg("--entrypoint").arg(program);
            arguments = rest;
        }
        command.arg(image).args(arguments);
        command
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.launcher.command(Program::ContainerEngine, self.engine.program());
        command.args(args);
        command
    }

    fn start(&self, what: &str, source: io::Error) -> ExecError {
        ExecError::Start { command: format!("{} {what}", self.engine), source }
    }
}

/// The value of `--mount`: comma-separated values, in which a field with a comma or a quote is quoted.
fn mount(directory: &Path) -> OsString {
    let mut source = OsString::from("source=");
    source.push(directory);
    if let Some(text) = source.to_str().filter(|text| text.contains([',', '"', '\n'])) {
        source = format!("\"{}\"", text.replace('"', "\"\"")).into();
    }
    let mut value = OsString::from("type=bind,");
    value.push(source);
    value.push(format!(",target={WORK}"));
    value
}

/// An OCI layout with the `manifest.json` of `docker save`: each engine reads one of them.
fn files(image: &Image) -> Vec<File> {
    let path = |blob: &Descriptor| format!("blobs/sha256/{}", blob.digest.hex());
    let layers = || image.layers.iter().map(|layer| &layer.descriptor);
    let document = |path: &str, value: serde_json::Value| File {
        path: path.to_owned(),
        content: FileContent::Bytes(canonical_json(&value)),
    };
    let mut blobs: Vec<&Descriptor> = [&image.manifest, &image.config].into_iter().chain(layers()).collect();
    blobs.sort_by_key(|blob| blob.digest);
    blobs.dedup_by_key(|blob| blob.digest);
    let mut files: Vec<File> = blobs
        .into_iter()
        .map(|blob| File { path: path(blob), content: FileContent::Blob(blob.digest) })
        .collect();
    files.push(document("oci-layout", json!({"imageLayoutVersion": "1.0.0"})));
    files.push(document("index.json", json!({"schemaVersion": 2, "manifests": [image.manifest]})));
    let layers: Vec<_> = layers().map(path).collect();
    files.push(document(
        "manifest.json",
        json!([{"Config": path(&image.config), "Layers": layers, "RepoTags": []}]),
    ));
    files
}

/// The end of a program's output.
fn quote(output: &[u8]) -> String {
    let text = String::from_utf8_lossy(&output[output.len().saturating_sub(QUOTED)..]);
    visible::lines(text.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(command: &[&str]) -> ExecOptions {
        ExecOptions {
            system: None,
            command: command.iter().map(|&word| word.to_owned()).collect(),
            without_entrypoint: false,
            engine: None,
            directory: "/home/me/a, \"b\"".into(),
            user: (1000, 100),
            terminal: false,
        }
    }

    fn container(engine: ContainerEngine, maps_user_to_root: bool) -> Container {
        Container { engine, launcher: Launcher::default(), maps_user_to_root }
    }

    fn line(container: &Container, options: &ExecOptions) -> String {
        let command = container.run("sha256:1234", options);
        command.get_args().map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_network_is_off_and_files_belong_to_the_caller() {
        let docker = container(ContainerEngine::Docker, false);
        insta::assert_snapshot!(line(&docker, &options(&["make", "test"])), @r#"run --rm --network none --pull never --interactive --workdir /work --mount type=bind,"source=/home/me/a, ""b""",target=/work --user 1000:100 sha256:1234 make test"#);
        let podman = container(ContainerEngine::Podman, true);
        let direct = ExecOptions {
            without_entrypoint: true,
            terminal: true,
            directory: "/src".into(),
            ..options(&["make", "test"])
        };
        insta::assert_snapshot!(line(&podman, &direct), @"run --rm --network none --pull never --interactive --workdir /work --tty --mount type=bind,source=/src,target=/work --entrypoint make sha256:1234 test");
    }
}
