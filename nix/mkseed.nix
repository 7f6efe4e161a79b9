# A derivation with one output per standard layer. Each output is a small file that names the packages of its layer, so
# its closure is theirs; `seed` builds the outputs and puts each closure into layers of its own.
#
# Builtins only: it needs no nixpkgs, evaluates in milliseconds, and works with Nix 2.8 and later.
#
#   packages.x86_64-linux.seed = mkSeed {
#     system = "x86_64-linux";
#     library = [ pkgs.openssl ];
#     apps = [ self.packages.x86_64-linux.default ];
#   };
#
# A package is a derivation, a path, or a string that refers to the store. Nix builds the packages of all layers even
# where an image needs some of them only: for fast runtime images, leave `checks` and `devShells` to a second seed.
{
  # The system that the seed is for, such as "x86_64-linux".
  system,
  # The derivation's name.
  name ? "seed",
  # What changes least: C library, shell, certificates.
  base ? [ ],
  # What the applications need.
  library ? [ ],
  # The applications.
  apps ? [ ],
  # What tests them. This layer and the following ones are for build seeds.
  checks ? [ ],
  # Development shells: what they need, not the shells themselves.
  devShells ? [ ],
  # Packages that overlays changed.
  overlays ? [ ],
}:
let
  # Outputs in the order of the layers, which is not that of the names.
  order = [
    "base"
    "library"
    "apps"
    "checks"
    "devShells"
    "overlays"
  ];

  packages = {
    inherit
      base
      library
      apps
      checks
      overlays
      ;
    devShells = map (shell: shell.inputDerivation or shell) devShells;
  };

  storePath =
    layer: package:
    if builtins.isPath package || package ? outPath || (builtins.isString package && builtins.hasContext package) then
      "${package}"
    else
      throw "mkSeed: `${layer}` holds a ${builtins.typeOf package} that is not in the store; expected derivations, paths, or strings that refer to the store";

  document = layer: builtins.toJSON {
    schema = 1;
    inherit layer;
    packages = map (storePath layer) packages.${layer};
  };

  # Files, since a variable of the environment is limited to 128 KiB.
  texts = map (layer: "${layer}Text") order;
in
derivation (
  {
    inherit name system;
    builder = "/bin/sh";
    # Shell builtins only: the sandbox holds no other program.
    args = [
      "-eu"
      "-c"
      ''
        for layer in $outputs; do
          eval "file=\$''${layer}TextPath output=\$$layer"
          IFS= read -r text < "$file"
          printf '%s\n' "$text" > "$output"
        done
      ''
    ];
    outputs = order;
    passAsFile = texts;
    # Cheaper to make than to fetch or to send away.
    preferLocalBuild = true;
    allowSubstitutes = false;
  }
  // builtins.listToAttrs (
    map (layer: {
      name = "${layer}Text";
      value = document layer + "\n";
    }) order
  )
)
