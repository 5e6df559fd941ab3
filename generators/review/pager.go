package review

import (
	"fmt"
	"regexp"
	"strings"

	"skep.dev/generators/stack"
	"skep.dev/schema"
)

// measured is what Prometheus puts into the text of an alert when it fires: a label of the series, or its value.
var measured = regexp.MustCompile(`{{ *\$(?:labels\.(\w+)|value)[^}]*}}`)

// pager tells of each alert what it means and what to type first, in the words that the alert itself has.
func pager(c *schema.Cluster) (string, error) {
	alerts, err := stack.Alerts(c)
	if err != nil {
		return "", err
	}
	plain := func(text string) string {
		return measured.ReplaceAllStringFunc(text, func(found string) string {
			if label := measured.FindStringSubmatch(found)[1]; label != "" {
				return strings.ToUpper(label)
			}
			return "N"
		})
	}
	var b strings.Builder
	for _, a := range alerts {
		if a.Labels.Severity == "none" {
			continue // it fires when all is well
		}
		fmt.Fprintf(&b, "\n**%s** (%s): %s %s\n\n", a.Name, a.Labels.Severity, plain(a.Annotations.Summary), plain(a.Annotations.Description))
		for line := range strings.Lines(plain(a.Annotations.Command)) {
			b.WriteString("    " + strings.TrimSuffix(line, "\n") + "\n")
		}
	}
	return b.String(), nil
}
