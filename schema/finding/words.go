package finding

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Nodes is such as "node m1", or "nodes m1, m2": it counts the rest when there are many.
func Nodes(names []string) string {
	if len(names) == 1 {
		return "node " + names[0]
	}
	return "nodes " + Several(names)
}

// Several lists names, and counts the rest when there are many.
func Several(names []string) string {
	const most = 5
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

var plainLabel = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`)

// Label is a name as CUE and YAML have it on the left of a colon.
func Label(name string) string {
	switch strings.ToLower(name) {
	case "y", "yes", "n", "no", "on", "off", "true", "false", "null":
		return strconv.Quote(name)
	}
	if plainLabel.MatchString(name) {
		return name
	}
	return strconv.Quote(name)
}
