package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"skep.dev/generators/artifact"
)

// manifest is the MANIFEST of a bundle.
type manifest string

// digest is what the whole bundle is known by.
func (m manifest) digest() string {
	sum := sha256.Sum256([]byte(m))
	return hex.EncodeToString(sum[:])
}

// Planned is the digest of the MANIFEST of the new bundle: runbook.sh run --planned refuses every other one.
func (p Plan) Planned() string { return p.new.digest() }

func (m manifest) files() map[string]string {
	sums := map[string]string{}
	for line := range strings.Lines(string(m)) {
		sum, path, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		sums[path] = sum
	}
	return sums
}

// FileChange is a file of the bundle that is "added", "changed" or "removed".
type FileChange struct {
	Change string `json:"change"`
	File   string `json:"file"`
	Own    bool   `json:"own"` // it says nothing about the cluster: a change is that of skep
}

// files are the files that differ from one bundle to the next, by path.
func files(before, after *Bundle) []FileChange {
	old, now := before.manifest.files(), after.manifest.files()
	out := []FileChange{}
	for _, path := range union(old, now) {
		c := FileChange{File: path, Own: slices.Contains(before.own, path) || slices.Contains(after.own, path)}
		switch {
		case old[path] == "":
			c.Change = added
		case now[path] == "":
			c.Change = removed
		case old[path] != now[path]:
			c.Change = "changed"
		default:
			continue
		}
		out = append(out, c)
	}
	return out
}

// divided are the files whose change a spec decides, and those whose change is one of skep itself.
func (p Plan) divided() (decided, own []string) {
	for _, f := range p.Files {
		switch {
		case f.File == artifact.AttributesName:
		case !f.Own:
			decided = append(decided, f.File)
		case f.Change == "changed":
			own = append(own, f.File)
		}
	}
	return decided, own
}
