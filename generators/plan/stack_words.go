package plan

import (
	"cmp"
	"fmt"
	"strings"

	"skep.dev/schema/finding"
)

// String is such as "updated  service blog/web, no gap: image (ghost:6.10.3, now ghost:6.11.0)".
func (c StackChange) String() string {
	what := c.Kind + " " + c.Stack
	if c.Name != "" {
		what += "/" + c.Name
	}
	return fmt.Sprintf("%-8s %s%s", c.verb(), what, c.tail())
}

// verb is the first word of a line.
func (c StackChange) verb() string {
	switch c.Change {
	case restarted:
		return "restarts"
	case again:
		return "runs"
	case moved:
		return "moves"
	case frozen:
		return "stays"
	}
	return c.Change
}

// tail is what follows the name.
func (c StackChange) tail() string {
	switch c.Change {
	case added:
		return services(c.Names)
	case removed:
		switch c.Kind {
		case "stack":
			return services(c.Names) + "; its volumes stay where they are"
		case "volume":
			return ": what it holds stays where it is, as " + c.Why[0].From
		}
		return ""
	case data:
		if c.Why[0].Key == "name" {
			return fmt.Sprintf(" begins empty, as %s: what %s holds stays where it is", c.Why[0].To, c.Why[0].From)
		}
		return fmt.Sprintf(" begins empty on other nodes (%s): what it holds stays where it is", c.Why[0].words())
	case updated:
		return ", no gap" + c.because()
	case restarted:
		down := "down until its next task runs"
		if c.Gap == "node" {
			down = "down on one node after the other"
		}
		return fmt.Sprintf(", %s, each task has %s to stop%s", down, c.Grace, c.because())
	case again:
		return " again" + c.because()
	case moved:
		return " away from nodes that no longer fit, other tasks stay" + c.because()
	case adjusted:
		return ", no task restarts" + c.because()
	case remade:
		return ", removed and made anew, down meanwhile" + c.because()
	case frozen:
		return " as it is until its stack is removed, Docker changes none that is there" + c.because()
	}
	return c.because()
}

func services(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return ": " + finding.Several(names)
}

// because names the keys that differ.
func (c StackChange) because() string {
	words := make([]string, len(c.Why))
	for i, why := range c.Why {
		words[i] = why.words()
	}
	if len(words) == 0 {
		return ""
	}
	return ": " + finding.Several(words)
}

func (r Reason) words() string {
	if r.From == "" && r.To == "" {
		return r.Key
	}
	return fmt.Sprintf("%s %s, now %s", r.Key, oneLine(r.From), oneLine(r.To))
}

// oneLine is a text of a stack file as a part of a line, which it must not end.
func oneLine(s string) string { return cmp.Or(strings.Join(strings.Fields(s), " "), "none") }
