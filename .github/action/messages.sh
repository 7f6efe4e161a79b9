# shellcheck shell=bash
# How the scripts speak to the runner.

# Text as workflow commands take it: a line break would begin another command.
escape() {
  local text=$1
  text=${text//'%'/%25}
  text=${text//$'\r'/%0D}
  printf '%s' "${text//$'\n'/%0A}"
}

group() {
  printf '::group::%s\n' "$(escape "$1")"
}

end_group() {
  printf '::endgroup::\n'
}

lower_case() {
  printf '%s' "$1" | tr '[:upper:]' '[:lower:]'
}

# Ends the step as a wrong command line does.
fail() {
  printf '::error title=seed::%s\n' "$(escape "$1")"
  exit 2
}

# A random word that no build can guess.
random_word() {
  od -A n -N 16 -t x1 /dev/urandom | tr -d ' \n'
}

# Sets a variable for the steps that follow, whose value may have several lines.
set_variable() {
  local end
  end=$(random_word)
  printf '%s<<%s\n%s\n%s\n' "$1" "$end" "$2" "$end" >> "$GITHUB_ENV"
  export "$1=$2"
}
