#!/usr/bin/env bash
# Builds, signs and publishes. The inputs are in variables `SEED_…`; action.yml says what each means.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=messages.sh
. "$here/messages.sh"
# shellcheck source=pipeline.sh
. "$here/pipeline.sh"

# Secrets leave the environment at once: what runs below needs none of them there.
token=$SEED_TOKEN
# Without the line ends that editing a secret adds.
signing_key=$(printf '%s' "${COSIGN_PRIVATE_KEY:-}" | tr -d '\r')
signing_password=${COSIGN_PASSWORD-}
has_password=${COSIGN_PASSWORD+yes}
unset SEED_TOKEN COSIGN_PRIVATE_KEY COSIGN_PASSWORD

for input in SEED_TAG_LATEST SEED_SIGN; do
  [[ ${!input} == true || ${!input} == false ]] \
    || fail "the input $(lower_case "${input#SEED_}") must be true or false, not ${!input}"
done
for input in SEED_ATTR SEED_REGISTRY SEED_PIPELINE SEED_RECORD SEED_INDEX; do
  [[ ${!input} != *[[:cntrl:]]* && ${!input} != -* ]] \
    || fail "the input $(lower_case "${input#SEED_}") must be a single line that does not begin with a dash"
done
[[ $SEED_REGISTRY =~ ^[A-Za-z0-9.-]+(:[0-9]+)?$ ]] \
  || fail "the input registry must be HOST or HOST:PORT, not $SEED_REGISTRY"

private=$(mktemp -d "$RUNNER_TEMP/seed-private.XXXXXXXX")
trap 'rm -rf -- "$private"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

refuse() {
  fail "the input $1 has no effect because $pipeline exists: set it there, or remove the input"
}

# Writes standard input to a file that nobody else can read.
write_private() {
  (umask 077 && cat > "$private/$1")
}

if [ -n "$token" ]; then
  password=$(printf '%s:%s' "${GITHUB_ACTOR:-seed}" "$token" | base64 | tr -d '\n')
  printf '{"auths":{"%s":{"auth":"%s"}}}\n' "$SEED_REGISTRY" "$password" | write_private auth.json
  # Read before the files that `docker login` writes, which count for other registries.
  export REGISTRY_AUTH_FILE=$private/auth.json
fi

if [ -n "$SEED_RECORD$SEED_INDEX" ]; then
  [ -z "$SEED_RECORD" ] || [ -z "$SEED_INDEX" ] || fail "the inputs record and index are mutually exclusive"
  [ -n "$token" ] || fail "the inputs record and index require github_token, because they need published images"
fi

archive=
# An empty array counts as unset in the bash of macOS: below, `${name[@]+…}` leaves it out.
records=()
systems=()
IFS=$' \t\r\n,' read -r -d '' -a systems <<< "$SEED_SYSTEMS" || true
if [ -n "$SEED_INDEX" ]; then
  arguments=(index --json)
  # Records of another run of the workflow are no records of this one.
  [ -z "${GITHUB_RUN_ID:-}" ] || arguments+=(--run "$GITHUB_RUN_ID")
  shopt -s nullglob
  records=("$SEED_INDEX"/*.json)
  shopt -u nullglob
  [ "${#records[@]}" != 0 ] || fail "no records in the directory $SEED_INDEX"
elif [ -n "$SEED_RECORD" ]; then
  [ "${#systems[@]}" = 1 ] || fail "the input record requires one system in the input systems"
  arguments=(run --json --system "${systems[0]}" --record "$SEED_RECORD")
  [ -z "${GITHUB_RUN_ID:-}" ] || arguments+=(--run "$GITHUB_RUN_ID")
else
  arguments=(run --json)
fi

pipeline=$SEED_PIPELINE
[ -n "$pipeline" ] || [ ! -e pipeline.toml ] || pipeline=pipeline.toml
has_own_pipeline=
if [ -n "$pipeline" ]; then
  has_own_pipeline=yes
  # What the file says is not said twice.
  [ "$SEED_ATTR" = .#seed ] || refuse seed_attr
  [ -z "$SEED_TAGS" ] || refuse tags
  [ "$SEED_TAG_LATEST" = false ] || refuse tag_latest
  [ "$SEED_SIGN" = false ] || refuse sign
  [ -z "$SEED_INDEX" ] || [ -z "$SEED_SYSTEMS" ] || refuse systems
  [ -n "$token" ] || arguments+=(--no-publish)
  if [ -e "$(lock_of "$pipeline")" ]; then arguments+=(--locked); fi
  if [ -z "$SEED_RECORD" ]; then
    for system in ${systems[@]+"${systems[@]}"}; do arguments+=(--system "$system"); done
  fi
elif [ -n "$token" ]; then
  if [ "$SEED_SIGN" = true ]; then
    [ -n "$signing_key" ] || fail "sign is true, but the variable COSIGN_PRIVATE_KEY is empty: set it from a secret"
    [ -n "$has_password" ] || fail "sign is true, but the variable COSIGN_PASSWORD is not set: set it from a secret; it may be empty"
    printf '%s\n' "$signing_key" | write_private cosign.key
    printf '%s\n' "$signing_password" | write_private cosign.password
  fi
  pipeline=$private/pipeline.toml
  make_pipeline registry "$private" '' > "$pipeline"
else
  archive=$(mktemp -d "$RUNNER_TEMP/seed-image.XXXXXXXX")/image.tar
  pipeline=$private/pipeline.toml
  make_pipeline archive '' "$archive" > "$pipeline"
fi

# Nix may read a checkout that belongs to another user, as it does in a container's job.
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*'

group "seed ${arguments[*]}"
# What a build prints is no command to the runner.
stop=$(random_word)
printf '::stop-commands::%s\n' "$stop"
status=0
(
  # A pipeline file of the repository may name it. `seed` passes it on to no other program.
  [ -z "$has_own_pipeline" ] || [ -z "$has_password" ] || export COSIGN_PASSWORD="$signing_password"
  exec seed "${arguments[@]}" "$pipeline" ${records[@]+"${records[@]}"}
) > "$private/summary.json" || status=$?
printf '::%s::\n' "$stop"
end_group

if [ "$status" != 0 ]; then
  jq --raw-output --from-file "$here/errors.jq" "$private/summary.json"
  exit "$status"
fi

jq --raw-output --from-file "$here/summary.jq" "$private/summary.json" >> "$GITHUB_STEP_SUMMARY"
{
  printf 'digest=%s\n' "$(jq --raw-output .digest "$private/summary.json")"
  printf 'image=%s\n' "$(jq --raw-output --from-file "$here/image.jq" "$private/summary.json")"
  printf 'archive=%s\n' "$archive"
} >> "$GITHUB_OUTPUT"
