{
  description = "seed: Nix flakes to signed, reproducible OCI images";

  # Only packages, checks and shells need nixpkgs: `lib`, `overlays` and `templates` evaluate without fetching it.
  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { self, nixpkgs }:
    let
      lib = import ./nix { program = system: self.packages.${system}.default; };
      forSystems = lib.forSystems lib.defaultSystems;
    in
    {
      inherit lib;

      packages = forSystems (
        system:
        import ./nix/packages.nix {
          inherit lib;
          pkgs = nixpkgs.legacyPackages.${system};
          flake = self;
          inputs = [ nixpkgs ];
        }
      );

      apps = forSystems (
        system:
        let
          app = package: name: {
            type = "app";
            program = "${self.packages.${system}.${package}}/bin/${name}";
          };
        in
        {
          default = app "default" "seed";
          # `nix run .#seed` runs the program; `nix build .#seed` builds its image.
          seed = app "default" "seed";
          verify = app "verify" "verify";
        }
      );

      checks = forSystems (system: self.packages.${system});

      devShells = forSystems (system: {
        default = import ./nix/shell.nix {
          pkgs = nixpkgs.legacyPackages.${system};
          program = self.packages.${system}.default;
        };
      });

      overlays.default = import ./nix/overlay.nix { inherit lib; };

      templates = {
        default = self.templates.app;
        app = {
          path = ./nix/templates/app;
          description = "An application from nixpkgs, and its image";
        };
        minimal = {
          path = ./nix/templates/minimal;
          description = "An image without nixpkgs: needs no network";
        };
      };
    };
}
