//! A Docker daemon.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::peers::peer;
use crate::run::Run;

/// A Docker daemon of its own, without network; it ends with the value.
#[derive(Debug)]
pub struct Docker {
    daemon: Child,
    directory: tempfile::TempDir,
}

impl Docker {
    /// Starts a daemon, and waits until it answers.
    pub fn start() -> Self {
        let directory = tempfile::Builder::new().prefix("seed-docker-").tempdir().unwrap();
        let daemon = Command::new(peer("dockerd"))
            .arg("--data-root")
            .arg(directory.path().join("data"))
            .arg("--exec-root")
            .arg(directory.path().join("exec"))
            .arg("--pidfile")
            .arg(directory.path().join("pid"))
            .arg("--host")
            .arg(socket(&directory))
            .args(["--iptables=false", "--bridge=none"])
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(directory.path().join("log")).unwrap())
            .spawn()
            .unwrap();
        let docker = Self { daemon, directory };
        let start = Instant::now();
        while Run::of(&mut docker.command(&["version"])).code != Some(0) {
            let log = || std::fs::read_to_string(docker.directory.path().join("log")).unwrap_or_default();
            assert!(start.elapsed() < Duration::from_mins(1), "the Docker daemon does not start:\n{}", log());
            thread::sleep(Duration::from_millis(100));
        }
        docker
    }

    /// Where it listens: the value of `DOCKER_HOST`.
    pub fn host(&self) -> String {
        socket(&self.directory)
    }

    /// Its client.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(peer("docker"));
        command.arg("--host").arg(socket(&self.directory)).args(args);
        command
    }

    /// Loads an archive; gives the image's name.
    pub fn load(&self, archive: &Path) -> String {
        let loaded = Run::of(self.command(&["load", "--input"]).arg(archive)).ok().stdout;
        let image = loaded.trim().strip_prefix("Loaded image: ");
        image.unwrap_or_else(|| panic!("{loaded}")).to_owned()
    }
}

impl Drop for Docker {
    fn drop(&mut self) {
        // The daemon ends its containerd and unmounts its layers when asked kindly.
        let _ = Command::new("kill").arg(self.daemon.id().to_string()).status();
        let _ = self.daemon.wait();
    }
}

fn socket(directory: &tempfile::TempDir) -> String {
    format!("unix://{}", directory.path().join("docker.sock").display())
}
