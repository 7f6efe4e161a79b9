# What host/nix asks of a set of packages: paths -> set -> what stands at each path.
paths: set:
let
  select =
    path:
    builtins.foldl' (
      value: name: if builtins.isAttrs value && value ? ${name} then value.${name} else null
    ) set path;

  isDerivation = value: builtins.isAttrs value && (value.type or null) == "derivation";

  # An image that `nix/mkimage.nix` made stands for the layers that it was made from.
  layers = value: if isDerivation value && isDerivation (value.seedLayers or null) then value.seedLayers else value;

  describe =
    value:
    if value == null then
      null
    else if !isDerivation value then
      { kind = builtins.typeOf value; }
    else
      {
        inherit (value) drvPath;
        output = value.outputName or "out";
        outputs = map (name: {
          inherit name;
          path = builtins.unsafeDiscardStringContext value.${name}.outPath;
        }) (value.outputs or [ "out" ]);
      };
in
map (path: describe (layers (select path))) paths
