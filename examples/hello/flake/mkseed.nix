# A derivation with one output per layer. Each output is a small file that names the packages of its layer, so its
# closure is theirs. `seed` builds the outputs and packs each closure into its own layers.
#
# Uses builtins only: needs no nixpkgs, evaluates in milliseconds, and works with Nix 2.8 and later.
#
#   packages.x86_64-linux.seed = mkSeed {
#     system = "x86_64-linux";
#     library = [ pkgs.openssl ];
#     apps = [ self.packages.x86_64-linux.default ];
#   };
#
# A package is a derivation, a path, or a string that refers to the store. Nix builds the packages of all layers, even
# if an image needs only some of them: for fast runtime images, put `checks` and `devShells` into a second seed.
#
# `seed.override { apps = [ … ]; }` and `seed.override (old: { … })` replace arguments;
# `seed.extend { apps = [ … ]; models = [ … ]; }` adds packages to layers.
let
  # `base` changes least: C library, shell, certificates. `library` is what the applications need, `apps` the
  # applications, `checks` their tests. `devShells` holds the inputs of development shells, not the shells themselves,
  # and `overlays` the packages that overlays changed. The last three are for build seeds.
  standard = [
    "base"
    "library"
    "apps"
    "checks"
    "devShells"
    "overlays"
  ];

  # Names that the result's own attributes take.
  reserved = [
    "all"
    "args"
    "builder"
    "drvAttrs"
    "drvPath"
    "extend"
    "name"
    "out"
    "outPath"
    "outputName"
    "outputs"
    "override"
    "system"
    "type"
  ];

  has = list: name: builtins.elem name list;

  quoted = names: builtins.concatStringsSep ", " (map (name: "`${name}`") names);

  # The builder turns it into shell variables, with letters appended.
  isVariable =
    name: builtins.match "[a-z][A-Za-z0-9_]*" name != null && builtins.match ".*Text" name == null;

  checkName =
    name:
    if has standard name then
      throw "mkSeed: `${name}` is a standard layer; write `${name} = [ … ];` beside `layers`, not in it"
    else if !isVariable name || has reserved name then
      throw "mkSeed: `${name}` cannot be the name of a layer; use letters, digits and `_`, beginning with a lower-case letter, and none of ${quoted reserved}"
    else
      name;

  checkOrder =
    all: order:
    let
      missing = builtins.filter (name: !has order name) all;
      unknown = builtins.filter (name: !has all name) order;
    in
    if unknown != [ ] then
      throw "mkSeed: `order` names ${quoted unknown}, but the layers are ${quoted all}"
    else if missing != [ ] then
      throw "mkSeed: `order` does not name ${quoted missing}"
    else if builtins.length order != builtins.length all then
      throw "mkSeed: `order` names a layer twice"
    else
      order;

  mkSeed =
    {
      # The system that the seed is for, such as "x86_64-linux".
      system,
      # The derivation's name.
      name ? "seed",
      # The packages of the standard layers.
      base ? [ ],
      library ? [ ],
      apps ? [ ],
      checks ? [ ],
      devShells ? [ ],
      overlays ? [ ],
      # More layers: `{ models = [ … ]; }`. The pipeline file lists them in `[select] config.layers`.
      layers ? { },
      # All layers, bottom first. By default, the additional layers are below `apps`, sorted by name.
      order ? null,
    }@arguments:
    let
      more = map checkName (builtins.attrNames layers);

      all =
        if order != null then
          checkOrder (standard ++ more) order
        else
          [
            "base"
            "library"
          ]
          ++ more
          ++ [
            "apps"
            "checks"
            "devShells"
            "overlays"
          ];

      packages = layers // {
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

      document =
        layer:
        builtins.toJSON {
          schema = 1;
          inherit layer;
          packages = map (storePath layer) packages.${layer};
        };

      seed = derivation (
        {
          inherit name system;
          builder = "/bin/sh";
          # Shell builtins only: the sandbox has no other program.
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
          outputs = all;
          # Files, because an environment variable is limited to 128 KiB.
          passAsFile = map (layer: "${layer}Text") all;
          # Cheaper to build than to fetch or to send to a remote builder.
          preferLocalBuild = true;
          allowSubstitutes = false;
        }
        // builtins.listToAttrs (
          map (layer: {
            name = "${layer}Text";
            value = document layer + "\n";
          }) all
        )
      );

      override =
        change: mkSeed (arguments // (if builtins.isFunction change then change arguments else change));

      extend =
        added:
        let
          isMore = layer: !has standard layer;
          addedMore = removeAttrs added standard;
          addedStandard = removeAttrs added (builtins.filter isMore (builtins.attrNames added));
          append = old: builtins.mapAttrs (layer: packages: (old.${layer} or [ ]) ++ packages);
        in
        override (append arguments addedStandard // { layers = layers // append layers addedMore; });
    in
    seed // { inherit override extend; };
in
mkSeed
