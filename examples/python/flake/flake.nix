{
  description = "A web service in Python";

  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";
    seed.url = "github:seed-oci/seed";
    seed.inputs.nixpkgs.follows = "nixpkgs";
  };

  outputs =
    inputs:
    {
      packages = inputs.seed.lib.forSystems [ "x86_64-linux" "aarch64-linux" ] (
        system:
        let
          pkgs = inputs.nixpkgs.legacyPackages.${system};
        in
        rec {
          greeter = pkgs.writeScriptBin "greeter" (
            "#!${pkgs.python3}/bin/python3\n" + builtins.readFile ./greeter.py
          );

          # One layer for the interpreter, which changes with nixpkgs, one for the service, which changes daily.
          seed = inputs.seed.lib.mkSeed {
            inherit system;
            library = [ pkgs.python3 ];
            apps = [ greeter ];
          };

          # The same as a build seed, without a network: see build.toml.
          build-seed = seed.override {
            base = [
              pkgs.bash
              pkgs.coreutils
            ];
          };
          nix = pkgs.nix;

          default = greeter;
        }
      );
    };
}
