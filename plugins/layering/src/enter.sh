#!/bin/sh
# The entrypoint of a build seed: makes Nix ready to build here, then runs the command. Needs Nix and a shell only.
#
# SEED_SUBSTITUTE=1 lets Nix download what others built.
set -eu

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
  if ! '@nix@/bin/nix-store' --load-db < /nix/seed/registration; then
    printf '%s\n' 'seed: Nix cannot register the store paths of this image: /nix must be writable. With --read-only,' \
      'seed: give it a volume (--volume /nix), and use one user for one container.' >&2
    exit 1
  fi
  : > "$loaded"
fi

exec "$@"
