#!/bin/sh
# The entrypoint of a build seed: makes Nix ready to build here, then runs the command. Needs Nix and a shell only.
#
# SEED_SUBSTITUTE=1 lets Nix download what others built.
set -eu

fail() {
  printf 'seed: %s\n' "$*" >&2
  exit 1
}

# Nix wants a home that belongs to the user or that it can make, and a name where the user has none.
[ -O "${HOME:-}" ] || export HOME=/tmp/home
export USER="${USER:-seed}"

case ${SEED_SUBSTITUTE:-} in
'' | 0 | false) ;;
*) export NIX_CONFIG="${NIX_CONFIG:-}
substitute = true" ;;
esac

# Once per container: what was collected as garbage since must not be registered again.
loaded=/nix/var/nix/seed-loaded
if ! [ -e "$loaded" ]; then
  if ! [ -w /nix/store ] || ! [ -w /nix/var/nix ]; then
    fail "/nix is read-only here: run without --read-only, or with a volume for it (--volume /nix)"
  fi
  '@nix@/bin/nix-store' --load-db < /nix/seed/registration ||
    fail "Nix cannot register the store paths of this image: /nix must be writable for user $USER"
  : > "$loaded"
fi

exec "$@"
