//! The kinds of programs, and which variables each gets.

use std::ffi::OsStr;

/// A kind of program that `seed` starts. `docs/security-model.md` has the same lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Program {
    /// `nix` and `nix-store`, which start git, ssh and the builds of a flake.
    Nix,
    /// Docker or Podman.
    ContainerEngine,
    /// `docker-credential-NAME`.
    CredentialHelper,
}

/// Variables of the GitHub action that hold a secret, or did in one of its steps. No program gets them.
pub const ACTION_SECRETS: [&str; 3] = ["COSIGN_PASSWORD", "COSIGN_PRIVATE_KEY", "SEED_TOKEN"];

/// What every program gets: where things are, who the user is, the language, proxies and certificates. A final `*` stands
/// for any rest.
const EVERY: &[&str] = &[
    "PATH",
    "LD_LIBRARY_PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "TERM",
    "NO_COLOR",
    "TZ",
    "LANG",
    "LANGUAGE",
    "LC_*",
    "LOCALE_ARCHIVE",
    "TMPDIR",
    "TMP",
    "TEMP",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_DIRS",
    "XDG_CONFIG_HOME",
    "XDG_DATA_DIRS",
    "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR",
    "XDG_STATE_HOME",
    "http_proxy",
    "https_proxy",
    "ftp_proxy",
    "all_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "FTP_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "CURL_CA_BUNDLE",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
];

const NIX: &[&str] = &[
    "NIX_BIN_DIR",
    "NIX_BUILD_HOOK",
    "NIX_CACHE_HOME",
    "NIX_CONFIG",
    "NIX_CONFIG_HOME",
    "NIX_CONF_DIR",
    "NIX_CONNECT_TIMEOUT",
    "NIX_CURRENT_LOAD",
    "NIX_DAEMON_SOCKET_PATH",
    "NIX_DATA_DIR",
    "NIX_DATA_HOME",
    "NIX_GIT_SSL_CAINFO",
    "NIX_HASHED_MIRRORS",
    "NIX_IGNORE_SYMLINK_STORE",
    "NIX_LIBEXEC_DIR",
    "NIX_LOCALSTATE_DIR",
    "NIX_LOG_DIR",
    "NIX_MIRRORS_*",
    "NIX_PATH",
    "NIX_PROFILES",
    "NIX_REMOTE",
    "NIX_REMOTE_SYSTEMS",
    "NIX_SSHOPTS",
    "NIX_SSL_CERT_FILE",
    "NIX_STATE_DIR",
    "NIX_STATE_HOME",
    "NIX_STORE",
    "NIX_STORE_DIR",
    "NIX_USER_CONF_FILES",
    "NIX_USER_PROFILE_DIR",
    "GIT_ALLOW_PROTOCOL",
    "GIT_CEILING_DIRECTORIES",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_KEY_*",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_CONFIG_SYSTEM",
    "GIT_CONFIG_VALUE_*",
    "GIT_EXEC_PATH",
    "GIT_PROXY_COMMAND",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_SSH_VARIANT",
    "GIT_SSL_CAINFO",
    "GIT_SSL_CAPATH",
    "GIT_TERMINAL_PROMPT",
    "SOCKS_SERVER",
    "SSH_ASKPASS",
    "SSH_AUTH_SOCK",
];

const CONTAINER_ENGINE: &[&str] = &[
    "DOCKER_API_VERSION",
    "DOCKER_CERT_PATH",
    "DOCKER_CONFIG",
    "DOCKER_CONTEXT",
    "DOCKER_DEFAULT_PLATFORM",
    "DOCKER_HOST",
    "DOCKER_TLS",
    "DOCKER_TLS_VERIFY",
    "CONTAINER_CONNECTION",
    "CONTAINER_HOST",
    "CONTAINER_SSHKEY",
    "CONTAINER_TLS_CA",
    "CONTAINER_TLS_CERT",
    "CONTAINER_TLS_KEY",
    "CONTAINERS_CONF",
    "CONTAINERS_CONF_OVERRIDE",
    "CONTAINERS_HELPER_BINARY_DIR",
    "CONTAINERS_REGISTRIES_CONF",
    "CONTAINERS_STORAGE_CONF",
    "STORAGE_DRIVER",
    "STORAGE_OPTS",
    "_CONTAINERS_ROOTLESS_GID",
    "_CONTAINERS_ROOTLESS_UID",
    "_CONTAINERS_USERNS_CONFIGURED",
    "DBUS_SESSION_BUS_ADDRESS",
    "SSH_AUTH_SOCK",
];

/// A helper is there to hand out logins, so it gets those of the clouds whose registries have one.
const CREDENTIAL_HELPER: &[&str] = &[
    "DOCKER_CONFIG",
    "REGISTRY_AUTH_FILE",
    "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "GNUPGHOME",
    "GPG_TTY",
    "PASSWORD_STORE_*",
    "AWS_*",
    "AZURE_*",
    "CLOUDSDK_*",
    "GOOGLE_*",
];

impl Program {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Nix, Self::ContainerEngine, Self::CredentialHelper];

    /// Its key in `[environment]` of the pipeline file.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Nix => "nix",
            Self::ContainerEngine => "container-engine",
            Self::CredentialHelper => "credential-helper",
        }
    }

    /// The variables that it gets if they are set; a final `*` stands for any rest.
    pub fn variables(self) -> impl Iterator<Item = &'static str> {
        let own = match self {
            Self::Nix => NIX,
            Self::ContainerEngine => CONTAINER_ENGINE,
            Self::CredentialHelper => CREDENTIAL_HELPER,
        };
        EVERY.iter().chain(own).copied()
    }

    /// Whether it gets the variable `name`.
    pub(crate) fn takes(self, name: &OsStr) -> bool {
        // Every name of the lists is ASCII.
        let Some(name) = name.to_str() else { return false };
        self.variables().any(|listed| match listed.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => name == listed,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_documented() {
        let page = include_str!("../../../docs/security-model.md");
        let (_, section) = page.split_once("## What programs see of the environment").unwrap();
        let (section, _) = section.split_once("\n## ").unwrap();
        for program in Program::ALL {
            assert!(section.contains(&format!("`{}`", program.key())), "{program:?}");
            for name in program.variables() {
                assert!(section.contains(&format!("`{name}`")), "the page does not list `{name}`");
            }
        }
        for name in ACTION_SECRETS {
            assert!(section.contains(&format!("`{name}`")), "the page does not list `{name}`");
        }
        // The last column of the table.
        let listed = section.lines().filter_map(|line| line.strip_prefix("| ")?.split('|').nth(2));
        for name in listed.flat_map(|names| names.split('`').skip(1).step_by(2)) {
            let is_known = Program::ALL.into_iter().any(|program| program.variables().any(|one| one == name));
            assert!(is_known, "no program gets `{name}`");
        }
    }

    #[test]
    fn no_secret_is_on_a_list() {
        for program in Program::ALL {
            for name in ACTION_SECRETS.iter().chain(&["GITHUB_TOKEN", "DOCKER_PASSWORD", "NIX_SECRET", "X"]) {
                assert!(!program.takes(OsStr::new(name)), "{program:?} gets {name}");
            }
            assert!(program.takes(OsStr::new("LC_TIME")) && program.takes(OsStr::new("PATH")));
        }
    }
}
