package finding

import (
	"fmt"
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
