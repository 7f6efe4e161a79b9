# The summary of seed as the page that GitHub shows for a job.
def cell: gsub("[\\r\\n]"; " ") | gsub("\\|"; "\\|");
def tenths: . * 10 | round | "\(. / 10 | floor).\(. % 10)";
def size:
  if . < 1024 then "\(.) B"
  elif . < 1048576 then "\(. / 1024 | tenths) KiB"
  elif . < 1073741824 then "\(. / 1048576 | tenths) MiB"
  else "\(. / 1073741824 | tenths) GiB" end;

"## \(.name | cell)",
"",
"`\(.digest)`",
(.images[]
  | "",
    "**\(.platform.os)/\(.platform.architecture)**: \(.layers | length) layers, \([.layers[].size] | add // 0 | size)",
    "",
    "| Layer | Size | Store paths | Digest | |",
    "| :-- | --: | --: | :-- | :-- |",
    (.layers[] | "| \(.name | cell) | \(.size | size) | \(.paths) | `\(.digest[0:19])…` | \(if .cached then "cached" else "packed" end) |")),
# A grant must be seen by whoever reads no more than this page.
(.legal[] | "", "Granted in `[legal]`: `\(.rule)` for \(.system), which allows \(.paths | length) store paths: \(.reason | cell)"),
([.published[] | select(.plugin != "oci-layout")] as $published
  | if ($published | length) > 0 then "", "Published:", "", ($published[] | "- `\(.reference)`")
    else "", "Not published to a registry." end),
(if (."verify-with" | length) > 0 then "", "Verify:", "", "```sh", ."verify-with"[], "```" else empty end)
