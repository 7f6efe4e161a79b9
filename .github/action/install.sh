#!/usr/bin/env bash
# Makes `nix`, `seed` and `jq` available to the steps that follow, each only where it is not on PATH yet.
set -euo pipefail
# shellcheck source=messages.sh
. "$(dirname "${BASH_SOURCE[0]}")/messages.sh"

# Installers, package managers and build scripts run below. They see these variables, and none of the job's secrets.
keep_only \
  PATH HOME USER LOGNAME SHELL TERM TZ LANG LC_ALL TMPDIR \
  http_proxy https_proxy all_proxy no_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY \
  SSL_CERT_FILE SSL_CERT_DIR CURL_CA_BUNDLE NIX_SSL_CERT_FILE NIX_CONF_DIR \
  CARGO_HOME CARGO_BUILD_JOBS CARGO_HTTP_CAINFO CARGO_HTTP_PROXY CARGO_NET_OFFLINE RUSTUP_HOME RUSTUP_TOOLCHAIN \
  GITHUB_ACTION_PATH GITHUB_PATH RUNNER_TEMP SEED_INDEX

# Where there is no package of a distribution.
nix_version=2.34.8

has() {
  command -v "$1" > /dev/null
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo --non-interactive "$@"; fi
}

# Installs the distribution's packages.
install_packages() {
  has apt-get || fail "this runner has neither $1 nor apt-get to install it: install $1 before this step"
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" > /dev/null
}

add_to_path() {
  PATH=$1:$PATH
  printf '%s\n' "$1" >> "$GITHUB_PATH"
}

install_nix() {
  local profile=/nix/var/nix/profiles/default/bin
  if [ -x "$profile/nix" ]; then
    add_to_path "$profile"
  elif [ "$(id -u)" = 0 ] && has apt-get; then
    # A job in a container: no service manager, so Nix without a daemon.
    install_packages nix-bin bash-static git
    # Debian's Nix has no shell of its own for the sandbox.
    local directory=${NIX_CONF_DIR:-/etc/nix}
    mkdir -p "$directory"
    printf '%s\n' 'build-users-group =' 'sandbox-paths = /bin/sh=/bin/bash-static' >> "$directory/nix.conf"
  else
    has curl || install_packages curl
    local installer=$RUNNER_TEMP/install-nix
    curl --proto '=https' --tlsv1.2 --silent --show-error --fail --location --output "$installer" \
      "https://releases.nixos.org/nix/nix-$nix_version/install"
    sh "$installer" --daemon --yes --no-channel-add --no-modify-profile
    rm -- "$installer"
    add_to_path "$profile"
  fi
}

# From the sources of this very action, so that both are of one version.
install_seed() {
  has cargo || fail "this runner has neither seed nor Rust: install one of them before this step"
  local target=$RUNNER_TEMP/seed-target
  cargo install --locked --quiet --no-track --path "$GITHUB_ACTION_PATH/host/cli" \
    --root "$RUNNER_TEMP/seed" --target-dir "$target"
  rm -rf -- "$target"
  add_to_path "$RUNNER_TEMP/seed/bin"
}

group "Install what is missing"
has jq || install_packages jq
# Composing an index builds nothing.
[ -n "$SEED_INDEX" ] || has nix || install_nix
has seed || install_seed
seed --version
end_group
