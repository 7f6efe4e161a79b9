# shellcheck shell=bash
# Makes a pipeline file from the inputs, where the repository has none.

# A TOML string.
quoted() {
  local text=$1
  text=${text//\\/\\\\}
  printf '"%s"' "${text//\"/\\\"}"
}

# A TOML array of the words of an input, which spaces, commas or lines separate.
quoted_words() {
  local words word separator=
  IFS=$' \t\r\n,' read -r -d '' -a words <<< "$1" || true
  printf '['
  for word in ${words[@]+"${words[@]}"}; do
    printf '%s%s' "$separator" "$(quoted "$word")"
    separator=', '
  done
  printf ']'
}

# An image's name from that of the repository: lower-case letters and digits with single separators between them.
image_name() {
  local name
  name=$(lower_case "${1##*/}" | sed -E 's/[^a-z0-9]+/-/g; s/^-//; s/-$//')
  printf '%s' "${name:-seed}"
}

# A flake reference that means the same in any directory.
absolute() {
  case $1 in
    '' | .) printf '%s' "$PWD" ;;
    ./*) printf '%s/%s' "$PWD" "${1#./}" ;;
    path:.) printf 'path:%s' "$PWD" ;;
    path:./*) printf 'path:%s/%s' "$PWD" "${1#path:./}" ;;
    *) printf '%s' "$1" ;;
  esac
}

# The lock file of a pipeline file.
lock_of() {
  if [ -d "$1" ]; then
    printf '%s/seed.lock' "$1"
  elif [ "$(basename -- "$1")" = pipeline.toml ]; then
    printf '%s/seed.lock' "$(dirname -- "$1")"
  else
    printf '%s.seed.lock' "${1%.*}"
  fi
}

# The pipeline file's text. Arguments: where to publish (`registry` or `archive`), the directory for keys, the archive.
make_pipeline() {
  local publish=$1 keys=$2 archive=$3 attribute=seed
  [[ $SEED_ATTR != *'#'* ]] || attribute=${SEED_ATTR#*#}
  cat << END
# Made by the action from its inputs.
schema = 1

[source]
flake = $(quoted "$(absolute "${SEED_ATTR%%#*}")")
attr = $(quoted "${attribute:-seed}")
substitute = true
END
  [ -z "$SEED_SYSTEMS" ] || printf 'systems = %s\n' "$(quoted_words "$SEED_SYSTEMS")"
  printf '\n[seed]\nname = %s\n' "$(quoted "$(image_name "$GITHUB_REPOSITORY")")"
  if [ "$publish" = archive ]; then
    cat << END

[[publish]]
plugin = "builtin:oci-layout"
config = { archive = $(quoted "$archive") }
END
    return
  fi
  cat << END

[[publish]]
plugin = "builtin:registry-publisher"
config = { repository = $(quoted "$SEED_REGISTRY/$(lower_case "$GITHUB_REPOSITORY")"), tags = $(quoted_words "$SEED_TAGS"), tag-latest = $SEED_TAG_LATEST }
grants = { http = [$(quoted "$(origin "$SEED_REGISTRY")")], credentials = [$(quoted "$SEED_REGISTRY")] }
END
  [ "$SEED_SIGN" = false ] || cat << END

[[sign]]
plugin = "builtin:cosign-signer"
grants = { keys = ["action"] }

[keys.action]
cosign = { file = $(quoted "$keys/cosign.key"), password = { file = $(quoted "$keys/cosign.password") } }
END
}

# Registries on this machine have no certificate.
origin() {
  case $1 in
    localhost | localhost:* | 127.0.0.1 | 127.0.0.1:*) printf 'http://%s' "$1" ;;
    *) printf 'https://%s' "$1" ;;
  esac
}
