{
  description = "An application, and its image";

  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";
    seed.url = "github:seed-oci/seed";
    seed.inputs.nixpkgs.follows = "nixpkgs";
  };

  outputs =
    {
      self,
      nixpkgs,
      seed,
    }:
    seed.lib.eachSystem
      [
        "x86_64-linux"
        "aarch64-linux"
      ]
      (
        system:
        let
          pkgs = nixpkgs.legacyPackages.${system};
        in
        {
          packages = {
            # Put your own package here.
            default = pkgs.writeShellScriptBin "app" "echo Hello from my seed!";

            # `nix build .#seed` and `docker load < result`, or `seed run`: the same image.
            seed = seed.lib.mkImage {
              flake = self;
              pipeline = ./pipeline.toml;
              seed = seed.lib.mkSeed {
                inherit system;
                # What changes least comes first: an update sends only the layers that changed.
                base = [ pkgs.bash ];
                apps = [ self.packages.${system}.default ];
              };
            };
          };
        }
      );
}
