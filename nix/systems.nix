# Helpers for per-system flake outputs.
rec {
  # The systems that nixpkgs supports and that `seed` makes images for.
  defaultSystems = [
    "x86_64-linux"
    "aarch64-linux"
    "x86_64-darwin"
    "aarch64-darwin"
  ];

  # `{ x86_64-linux = f "x86_64-linux"; … }`, for one flake output.
  forSystems =
    systems: f:
    builtins.listToAttrs (
      map (system: {
        name = system;
        value = f system;
      }) systems
    );

  # The same for several flake outputs: turns `f "x86_64-linux" = { packages = …; checks = …; }` into
  # `{ packages.x86_64-linux = …; checks.x86_64-linux = …; }`.
  eachSystem =
    systems: f:
    let
      perSystem = forSystems systems f;
      names = builtins.concatLists (map (system: builtins.attrNames perSystem.${system}) systems);
      output = name: {
        inherit name;
        value = builtins.listToAttrs (
          builtins.concatLists (
            map (
              system:
              if perSystem.${system} ? ${name} then
                [
                  {
                    name = system;
                    value = perSystem.${system}.${name};
                  }
                ]
              else
                [ ]
            ) systems
          )
        );
      };
    in
    builtins.listToAttrs (map output names);
}
