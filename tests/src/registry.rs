//! Real registries, each started on a free port of its own.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::peers::peer;

/// A running registry; it ends with this value.
#[derive(Debug)]
pub struct Registry {
    process: Child,
    address: String,
    _storage: Option<tempfile::TempDir>,
}

impl Registry {
    /// `docker-registry` (distribution 2.8), which has no referrers API.
    pub fn distribution() -> Self {
        Self::start_distribution(None)
    }

    /// The same, which only lets in who logs in as one of `users`: lines `NAME:BCRYPT`, as htpasswd writes them.
    pub fn distribution_for(users: &str) -> Self {
        Self::start_distribution(Some(users))
    }

    fn start_distribution(users: Option<&str>) -> Self {
        let storage = tempfile::tempdir().unwrap();
        let address = format!("127.0.0.1:{}", free_port());
        let config = storage.path().join("config.yml");
        let mut text = format!(
            "version: 0.1\nlog: {{level: error}}\nhttp: {{addr: \"{address}\"}}\n\
             storage: {{filesystem: {{rootdirectory: {}}}}}\n",
            storage.path().join("data").display()
        );
        if let Some(users) = users {
            let file = storage.path().join("users");
            std::fs::write(&file, users).unwrap();
            let _ = writeln!(text, "auth: {{htpasswd: {{realm: test, path: {}}}}}", file.display());
        }
        std::fs::write(&config, text).unwrap();
        let process = Command::new(peer("docker-registry"))
            .arg("serve")
            .arg(config)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        wait_for(&address);
        Self { process, address, _storage: Some(storage) }
    }

    /// A registry with the referrers API of distribution specification 1.1; it prints where it listens.
    pub fn with_referrers() -> Self {
        let mut process = Command::new(peer("referrers-registry"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut address = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut address).unwrap();
        let address = address.trim().to_owned();
        wait_for(&address);
        Self { process, address, _storage: None }
    }

    /// `host:port`.
    pub fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A port that nobody listens on now.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn wait_for(address: &str) {
    let start = Instant::now();
    while TcpStream::connect(address).is_err() {
        assert!(start.elapsed() < Duration::from_secs(20), "nothing listens on {address}");
        thread::sleep(Duration::from_millis(20));
    }
}
