package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
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

// fileChanges are the files that differ from one bundle to the next, by path: "added", "changed" or "removed".
func (p Plan) fileChanges() [][2]string {
	old, now := p.old.files(), p.new.files()
	var out [][2]string
	for _, path := range union(old, now) {
		switch {
		case old[path] == "":
			out = append(out, [2]string{added, path})
		case now[path] == "":
			out = append(out, [2]string{removed, path})
		case old[path] != now[path]:
			out = append(out, [2]string{"changed", path})
		}
	}
	return slices.Clip(out)
}
