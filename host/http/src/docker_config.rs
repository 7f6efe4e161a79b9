//! Credentials from the files of Docker and Podman, and from credential helpers.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use seed_process::Launcher;
use serde::Deserialize;

use crate::credentials::{Credential, CredentialError, CredentialStore, Secret};
use crate::helper;

/// The largest configuration file: 4 MiB.
const MAX_FILE: u64 = 4 << 20;

/// The files in which `docker login` and `podman login` keep credentials. They are read when a registry asks for
/// credentials, and not before.
#[derive(Clone, Debug, Default)]
pub struct DockerConfig {
    files: Vec<PathBuf>,
    /// Starts credential helpers.
    launcher: Launcher,
}

impl DockerConfig {
    /// Looks into these files, in this order; the first that knows a registry answers. Missing files are skipped.
    pub fn new(files: Vec<PathBuf>, launcher: Launcher) -> Self {
        Self { files, launcher }
    }

    /// The usual files, found through the environment that `launcher` has: `$REGISTRY_AUTH_FILE`,
    /// `$DOCKER_CONFIG/config.json` or else `~/.docker/config.json`, `$XDG_RUNTIME_DIR/containers/auth.json`.
    pub fn locate(launcher: &Launcher) -> Self {
        let path = |name: &str| launcher.variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let podman = path("REGISTRY_AUTH_FILE");
        let docker = path("DOCKER_CONFIG").or_else(|| Some(path("HOME")?.join(".docker")));
        let runtime = path("XDG_RUNTIME_DIR").map(|directory| directory.join("containers/auth.json"));
        let docker = docker.map(|directory| directory.join("config.json"));
        Self::new(podman.into_iter().chain(docker).chain(runtime).collect(), launcher.clone())
    }
}

impl CredentialStore for DockerConfig {
    fn get(&self, registry: &str) -> Result<Option<Credential>, CredentialError> {
        for path in &self.files {
            let Some(file) = read(path)? else { continue };
            if let Some(credential) = file.credential(registry, path, &self.launcher)? {
                return Ok(Some(credential));
            }
        }
        Ok(None)
    }
}

/// The parts of `config.json` and `auth.json` that are about credentials.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ConfigFile {
    auths: BTreeMap<String, Entry>,
    creds_store: Option<String>,
    cred_helpers: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Entry {
    auth: Option<Secret>,
    username: Option<String>,
    password: Option<Secret>,
    identitytoken: Option<Secret>,
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

fn read(path: &Path) -> Result<Option<ConfigFile>, CredentialError> {
    let error = |reason: String| CredentialError::File { file: path.display().to_string(), reason };
    let text = match seed_disk::read_bounded(path, MAX_FILE) {
        Ok(text) => text,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) if e.kind() == io::ErrorKind::FileTooLarge => {
            return Err(error(format!("is larger than {MAX_FILE} bytes")));
        }
        Err(e) => return Err(error(format!("cannot be read: {e}"))),
    };
    // serde_json's messages quote no values for syntax errors, but do for wrong types: position only.
    serde_json::from_slice(&text).map(Some).map_err(|e| {
        error(format!("is not a valid Docker config file (line {}, column {})", e.line(), e.column()))
    })
}

impl ConfigFile {
    fn credential(
        &self,
        registry: &str,
        path: &Path,
        launcher: &Launcher,
    ) -> Result<Option<Credential>, CredentialError> {
        let own_helper =
            self.cred_helpers.iter().find(|(key, _)| names(key, registry)).map(|(_, helper)| helper);
        if let Some(helper) = own_helper.or(self.creds_store.as_ref()) {
            // A registry's own helper answers alone; the general store may leave it to the file.
            let found = helper::get(launcher, helper, server_url(registry))?;
            if found.is_some() || own_helper.is_some() {
                return Ok(found);
            }
        }
        self.stored(registry, path)
    }

    /// The credential that the file itself has.
    pub(crate) fn stored(&self, registry: &str, path: &Path) -> Result<Option<Credential>, CredentialError> {
        let Some((key, auth)) =
            self.auths.iter().find(|(key, auth)| names(key, registry) && !auth.is_empty())
        else {
            return Ok(None);
        };
        auth.credential().map(Some).map_err(|reason| CredentialError::File {
            file: path.display().to_string(),
            reason: format!("the entry for `{key}` {reason}"),
        })
    }
}

impl Entry {
    /// Docker leaves empty entries behind for registries whose credentials are in a store.
    fn is_empty(&self) -> bool {
        let blank = |secret: &Option<Secret>| secret.as_ref().is_none_or(|s| s.reveal().is_empty());
        blank(&self.auth) && blank(&self.identitytoken) && self.username.as_ref().is_none_or(String::is_empty)
    }

    fn credential(&self) -> Result<Credential, &'static str> {
        if let Some(token) = self.identitytoken.as_ref().filter(|token| !token.reveal().is_empty()) {
            return Ok(Credential::IdentityToken(token.clone()));
        }
        let Some(auth) = self.auth.as_ref().filter(|auth| !auth.reveal().is_empty()) else {
            return Ok(Credential::Password {
                username: self.username.clone().unwrap_or_default(),
                password: self.password.clone().unwrap_or_else(|| Secret::new("")),
            });
        };
        let decoded =
            STANDARD.decode(auth.reveal().trim()).map_err(|_| "has an `auth` that is not base64")?;
        let text = String::from_utf8(decoded).map_err(|_| "has an `auth` that is not UTF-8")?;
        let (username, password) = text.split_once(':').ok_or("has an `auth` without `:`")?;
        // Docker pads with zero bytes on some platforms.
        let password = Secret::new(password.trim_end_matches('\0'));
        Ok(Credential::Password { username: username.to_owned(), password })
    }
}

/// Whether a key of `auths` or `credHelpers` means `registry`: it may carry a scheme, and the path of the API version.
fn names(key: &str, registry: &str) -> bool {
    let key = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    let (host, path) = key.split_once('/').unwrap_or((key, ""));
    matches!(path.trim_end_matches('/'), "" | "v1" | "v2") && canonical(host) == canonical(registry)
}

/// Docker Hub has three names.
fn canonical(host: &str) -> &str {
    match host {
        "index.docker.io" | "registry-1.docker.io" => "docker.io",
        other => other,
    }
}

/// What credential helpers are asked for.
fn server_url(registry: &str) -> &str {
    if canonical(registry) == "docker.io" { "https://index.docker.io/v1/" } else { registry }
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;
    use std::sync::Arc;

    use seed_process::Variables;

    use super::*;

    fn lookup(json: &str, registry: &str) -> Result<Option<Credential>, CredentialError> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config.json");
        std::fs::write(&path, json).unwrap();
        let files = vec![directory.path().join("missing.json"), path];
        DockerConfig::new(files, Launcher::default()).get(registry)
    }

    fn password(username: &str, password: &str) -> Credential {
        Credential::Password { username: username.to_owned(), password: Secret::new(password) }
    }

    #[test]
    fn entries_are_found_under_every_spelling_of_the_registry() {
        let auth = STANDARD.encode("me:pass:word");
        for key in ["ghcr.io", "https://ghcr.io", "https://ghcr.io/v2/", "http://ghcr.io/v1"] {
            let json = format!(r#"{{"auths": {{"{key}": {{"auth": "{auth}"}}}}}}"#);
            assert_eq!(lookup(&json, "ghcr.io").unwrap(), Some(password("me", "pass:word")), "{key}");
            assert_eq!(lookup(&json, "evil.example").unwrap(), None);
        }
        let hub = format!(r#"{{"auths": {{"https://index.docker.io/v1/": {{"auth": "{auth}"}}}}}}"#);
        assert_eq!(lookup(&hub, "docker.io").unwrap(), Some(password("me", "pass:word")));
        let namespaced = format!(r#"{{"auths": {{"quay.io/team": {{"auth": "{auth}"}}}}}}"#);
        assert_eq!(lookup(&namespaced, "quay.io").unwrap(), None);
    }

    #[test]
    fn identity_tokens_plain_fields_and_empty_entries() {
        let token = r#"{"auths": {"a.example": {"auth": "eDp5", "identitytoken": "t"}}}"#;
        assert_eq!(lookup(token, "a.example").unwrap(), Some(Credential::IdentityToken(Secret::new("t"))));
        let plain = r#"{"auths": {"a.example": {"username": "u", "password": "p"}}}"#;
        assert_eq!(lookup(plain, "a.example").unwrap(), Some(password("u", "p")));
        assert_eq!(lookup(r#"{"auths": {"a.example": {}}}"#, "a.example").unwrap(), None);
        assert_eq!(lookup(r#"{"HttpHeaders": {"x": "y"}}"#, "a.example").unwrap(), None);
    }

    #[test]
    fn bad_files_are_named_and_never_quoted() {
        let error = |json: &str| {
            let text = lookup(json, "a.example").unwrap_err().to_string();
            text[text.find("config.json").unwrap()..].to_owned()
        };
        insta::assert_snapshot!(error("{"), @"config.json: is not a valid Docker config file (line 1, column 1)");
        insta::assert_snapshot!(error(r#"{"auths": {"a.example": {"auth": 12345}}}"#), @"config.json: is not a valid Docker config file (line 1, column 38)");
        insta::assert_snapshot!(error(r#"{"auths": {"a.example": {"auth": "hunter2!"}}}"#), @"config.json: the entry for `a.example` has an `auth` that is not base64");
        insta::assert_snapshot!(error(r#"{"auths": {"a.example": {"auth": "aHVudGVyMg=="}}}"#), @"config.json: the entry for `a.example` has an `auth` without `:`");
    }

    #[test]
    fn a_helper_gets_the_logins_of_its_cloud_and_no_other_secret() {
        let directory = tempfile::tempdir().unwrap();
        let helper = directory.path().join("docker-credential-cloud");
        let script =
            r#"printf '{"Username":"%s","Secret":"%s"}' "$AWS_PROFILE" "$COSIGN_PASSWORD$REGISTRY_TOKEN""#;
        std::fs::write(&helper, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&helper, Permissions::from_mode(0o755)).unwrap();
        let config = directory.path().join("config.json");
        std::fs::write(&config, r#"{"credHelpers": {"a.example": "cloud"}}"#).unwrap();
        let path = directory.path().to_str().unwrap();
        let variables =
            [("PATH", path), ("AWS_PROFILE", "me"), ("COSIGN_PASSWORD", "no"), ("REGISTRY_TOKEN", "no")];
        let launcher = Launcher::new(Arc::new(variables.into_iter().collect::<Variables>()));
        let found = DockerConfig::new(vec![config], launcher).get("a.example").unwrap();
        assert_eq!(found, Some(password("me", "")));
    }

    #[test]
    fn the_largest_file_is_read_and_one_byte_more_is_too_much() {
        let json = |size: u64| {
            let json = r#"{"auths": {"a.example": {"username": "u", "password": "p"}}}"#;
            json.to_owned() + &" ".repeat(usize::try_from(size).unwrap() - json.len())
        };
        assert_eq!(lookup(&json(MAX_FILE), "a.example").unwrap(), Some(password("u", "p")));
        let error = lookup(&json(MAX_FILE + 1), "a.example").unwrap_err().to_string();
        assert!(error.ends_with("config.json: is larger than 4194304 bytes"), "{error}");
    }

    #[test]
    fn what_is_printed_for_debugging_shows_no_secret() {
        let auth = STANDARD.encode("me:hunter2");
        let json = format!(
            r#"{{"auths": {{"a": {{"auth": "{auth}", "password": "hunter2", "identitytoken": "hunter2"}}}}}}"#
        );
        let printed = format!("{:?}", serde_json::from_str::<ConfigFile>(&json).unwrap());
        assert!(!printed.contains("hunter2") && !printed.contains(&auth), "{printed}");
        for credential in [password("me", "hunter2"), Credential::IdentityToken(Secret::new("hunter2"))] {
            assert!(!format!("{credential:?}").contains("hunter2"));
        }
    }

    #[test]
    fn files_are_located_as_docker_and_podman_do() {
        let located = |variables: &[(&str, &str)]| {
            let variables: Variables = variables.iter().copied().collect();
            let config = DockerConfig::locate(&Launcher::new(Arc::new(variables)));
            config.files.iter().map(|path| path.display().to_string()).collect::<Vec<_>>()
        };
        assert_eq!(located(&[("HOME", "/h")]), ["/h/.docker/config.json"]);
        assert_eq!(
            located(&[
                ("HOME", "/h"),
                ("DOCKER_CONFIG", "/d"),
                ("REGISTRY_AUTH_FILE", "/a"),
                ("XDG_RUNTIME_DIR", "/r")
            ]),
            ["/a", "/d/config.json", "/r/containers/auth.json"]
        );
    }
}
