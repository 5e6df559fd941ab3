package schema

import "errors"

// Explain tells about a field of the spec ("services.nfs.path", "nodes.*.address") or a warning ("managers-even").
func Explain(path string) (string, error) { return "", errors.New("not yet") }
