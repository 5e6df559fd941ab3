package mistakes

import (
	"regexp"
	"slices"
	"strings"

	"skep.dev/schema"
	"skep.dev/schema/finding"
	"skep.dev/schema/written"
)

// world is what people call it who may not know that it has addresses.
var world = []string{"*", "all", "any", "anyone", "anywhere", "everyone", "everybody", "world", "public", "internet"}

// advise adds the way out to CUE's word about a name that is not there: what the field wants that the name stands at.
func (w *explainer) advise(path []string, text string) string {
	name, ok := strings.CutPrefix(text, "reference \"")
	name, found := strings.CutSuffix(name, "\" not found")
	if field, other := strings.CutPrefix(text, "undefined field: "); other {
		name, ok, found = field, true, true
	}
	if !ok || !found || len(path) == 0 || len(w.spec.Root().Names) == 0 {
		return text
	}
	s, fits := w.schema().Root.Find(path)
	t, depth := w.spec.Root().Find(path)
	if fits != len(path) || depth != len(path) {
		return text
	}
	kind := w.schema().Kind(s)
	switch {
	case kind == "true or false" && slices.Contains([]string{"yes", "no", "on", "off", "True", "False"}, name):
		return text + "; want true or false"
	case s.Fields[name] != nil:
		return text + "; want " + name + ": " + w.schema().Example(s.Fields[name], 0)
	case written.IsText(kind) && (t.Got() == name || strings.HasPrefix(text, "undefined")):
		return text + `; a text needs quotes: "` + name + `"`
	case s.IsList() && slices.Contains(world, name):
		return text + `; the whole world is ["0.0.0.0/0", "::/0"]`
	}
	return text
}

// word is what stands in a line without quotes, and what may follow it.
var word = regexp.MustCompile(`^[\w$#][\w$#./:@-]*`)

// meant looks at a name that leads nowhere where it stands: whether it is part of a text that needs quotes, or of the schema.
func meant(text string, lines []string, f finding.Finding) string {
	if strings.Contains(f.Text, "; ") || f.Line > len(lines) || f.Column > len(lines[f.Line-1]) {
		return ""
	}
	before, rest := lines[f.Line-1][:f.Column-1], lines[f.Line-1][f.Column-1:]
	is := word.FindString(rest)
	switch {
	case strings.HasPrefix(f.Text, "undefined field:") && strings.EqualFold(strings.TrimPrefix(is, "#"), "cluster"):
		return "; did you mean schema.#Cluster?"
	case strings.HasPrefix(f.Text, "imported and not used"):
		return "; drop the import"
	case is == "schema.#Cluster" && !strings.Contains(text, `"`+schema.ImportPath):
		return `; write import "` + schema.ImportPath + `" above`
	case is == "#Cluster" || strings.HasSuffix(is, ".#Cluster"):
		return "; want schema.#Cluster"
	case strings.HasSuffix(before, "{{ ") || strings.HasSuffix(before, "{{"):
		return "; skep fills in no templates, so write the value, in quotes"
	case strings.HasPrefix(f.Text, "reference") && regexp.MustCompile(`[:\[,]\s*$`).MatchString(before) && regexp.MustCompile(`^\s*(?:[,}\]]|//|$)`).MatchString(rest[len(is):]):
		return `; a text needs quotes: "` + is + `"`
	}
	return ""
}
