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

# Drops all variables of the environment but these.
keep_only() {
  local name
  while read -r name; do
    case " $* " in
      *" $name "*) ;;
      # Some of bash's own are read-only.
      *) unset "$name" 2> /dev/null || true ;;
    esac
  done < <(compgen -e)
}
