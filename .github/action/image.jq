# Where an image was published, by digest: the first place that is not on this machine; else nothing.
[.published[] | select(.plugin != "oci-layout")
  | "\(.reference | sub("@.*$"; "") | sub(":[^/]*$"; ""))@\(.digest)"][0] // ""
