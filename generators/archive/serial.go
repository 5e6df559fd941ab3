package archive

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
)

// Older is an archive that was made before one that was accepted already, or in its place.
type Older struct{ text string }

func (o Older) Error() string { return o.text }

// accepted is a line of the list of what was accepted last, beside the signers: name, serial, and the sum of SHA256SUMS.
type accepted struct {
	Identity
	sum string
}

// Accept compares an archive with what was accepted before, and notes it. Old says that the operator goes back on purpose,
// which the list keeps to itself: the next archive has to be newer than the newest.
func (v Verified) Accept(serials string, old Policy) error {
	before, err := readAccepted(serials)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(v.Sums)
	now := accepted{v.Identity, hex.EncodeToString(sum[:])}
	kept := []accepted{now}
	for _, a := range before {
		switch {
		case a.Name != v.Name:
			kept = append(kept, a)
		case v.Serial < a.Serial && old == AllowOlder:
			return nil
		case v.Serial < a.Serial:
			return Older{fmt.Sprintf("is serial %d of %s, and %d was accepted already; --allow-older if you go back on purpose", v.Serial, v.Name, a.Serial)}
		case v.Serial == a.Serial && now.sum != a.sum:
			return Older{fmt.Sprintf("is another serial %d of %s than the one that was accepted: want a new number", v.Serial, v.Name)}
		}
	}
	return writeAccepted(serials, kept)
}

// Policy is what to do with an archive that was made before the last accepted one.
type Policy int

// Policies.
const (
	RefuseOlder Policy = iota
	AllowOlder
)

func readAccepted(name string) ([]accepted, error) {
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []accepted
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) != 3 {
			return nil, fmt.Errorf("%s: %q: want a name, a serial and a sum", name, strings.TrimSpace(line))
		}
		serial, err := strconv.Atoi(f[1])
		if err != nil {
			return nil, fmt.Errorf("%s: %q: want a number", name, f[1])
		}
		out = append(out, accepted{Identity{f[0], serial}, f[2]})
	}
	return out, nil
}

func writeAccepted(name string, all []accepted) error {
	var b strings.Builder
	for _, a := range all {
		fmt.Fprintf(&b, "%s %d %s\n", a.Name, a.Serial, a.sum)
	}
	if err := os.WriteFile(name+".new", []byte(b.String()), 0o644); err != nil {
		return err
	}
	return os.Rename(name+".new", name)
}
