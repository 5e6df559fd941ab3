package archive

import (
	"fmt"
	"regexp"
	"strconv"
)

// Identity is which archive this is: that of a cluster, with a number that grows from one carrying to the next.
type Identity struct {
	Name   string
	Serial int
}

func (i Identity) String() string { return fmt.Sprintf("%s, serial %d", i.Name, i.Serial) }

// text is the record. verify.sh reads it, too.
func (i Identity) text() []byte {
	return fmt.Appendf(nil, "skep-archive 1\nname %s\nserial %d\n", i.Name, i.Serial)
}

var recordPattern = regexp.MustCompile(`^skep-archive ([0-9]{1,9})\nname ([a-z0-9][a-z0-9-]{0,62})\nserial ([1-9][0-9]{0,8})\n$`)

func readIdentity(text []byte) (Identity, error) {
	m := recordPattern.FindSubmatch(text)
	switch {
	case m == nil:
		return Identity{}, wrong("%s: want a form, a name and a serial", Record)
	case string(m[1]) != "1":
		return Identity{}, wrong("%s: has the form %s, and this skep reads 1: verify it with the skep that it holds", Record, m[1])
	}
	serial, err := strconv.Atoi(string(m[3]))
	return Identity{string(m[2]), serial}, err
}
