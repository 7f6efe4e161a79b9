# The development shell. `cargo xtask test` installs the peers that its tests need.
{ pkgs, program }:
pkgs.mkShell {
  inputsFrom = [ program ];
  packages = [
    pkgs.cargo-deny
    pkgs.clippy
    pkgs.cosign
    pkgs.rust-analyzer
    pkgs.rustfmt
    pkgs.skopeo
  ];
}
