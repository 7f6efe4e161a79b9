# The program `seed`, with nixpkgs: `pkgs.callPackage ./package.nix { }`.
{ lib, rustPlatform }:
let
  manifest = builtins.fromTOML (builtins.readFile ../Cargo.toml);
in
rustPlatform.buildRustPackage {
  pname = "seed";
  inherit (manifest.workspace.package) version;

  # Only what the build reads: changes to the documentation rebuild nothing.
  src = lib.fileset.toSource {
    root = ../.;
    fileset = lib.fileset.unions [
      ../Cargo.lock
      ../Cargo.toml
      ../host
      ../plugins/prebuilt
      ../tests
      ../wit
      ../xtask
    ];
  };
  cargoLock.lockFile = ../Cargo.lock;
  cargoBuildFlags = [ "--package=seed" ];
  # The tests read the whole repository and start other programs.
  doCheck = false;

  meta = {
    description = "Turns Nix flakes into signed, reproducible OCI images";
    homepage = manifest.workspace.package.repository;
    license = lib.licenses.asl20;
    mainProgram = "seed";
  };
}
