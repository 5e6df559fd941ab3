package finding

import (
	"fmt"
	"strings"
)

// Several lists names, and counts the rest when there are many.
func Several(names []string) string {
	const most = 5
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
