# How the scripts of setup-ros speak; sourced by them, with their name in `speaker`.

# say SENTENCE: what is done now.
say() { echo "$speaker: $*"; }

# fail WHAT FOUND EXPECTED TODO: ends the script with one error.
fail() {
  printf '%s: %s\nfound: %s\nexpected: %s\nto do: %s\n' "$speaker" "$@" >&2
  exit 1
}

# reason_in LOG: the last line of a log that says why something failed, else its last line.
reason_in() {
  local line
  line=$(grep -aE '(^|[^a-z])(ERROR|Error|error|ERR!|E:|fatal|CMake Error)' "$1" | tail -n 1) || line=$(tail -n 1 "$1")
  echo "${line:0:300} (all of it: $1)"
}
