# shellcheck shell=bash disable=SC2154
# Runs a derivation's `script` with busybox's tools.
bash=$machine/bin/bash
tools=$PWD/tools
"$machine/bin/busybox" mkdir "$tools"
"$machine/bin/busybox" --install -s "$tools"
PATH=$tools
umask 022

# Makes programs find their loader and libraries in the store: their own output's first, then those that they are given.
settle() {
  local file
  for file in "$@"; do
    chmod u+w "$file"
    run_patchelf --force-rpath --set-rpath "$out/lib:${libraries:+$libraries/lib:}$glibc/lib" "$file"
    case $file in
      *.so*) ;;
      *) run_patchelf --set-interpreter "$glibc/lib/$loader" "$file" ;;
    esac
  done
}

run_patchelf() {
  "$machine/lib/$loader" --library-path "$machine/lib" "$machine/bin/patchelf" "$@"
}

eval "$script"
