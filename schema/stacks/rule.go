package stacks

import (
	"fmt"
	"slices"
	"strings"
)

// matcher is one condition of a router's rule, such as Host(`a.example.org`).
type matcher struct {
	name string
	args []string
	not  bool
}

// matchers are those that Traefik 3 knows, with the number of their arguments: the least and the most.
// https://doc.traefik.io/traefik/reference/routing-configuration/http/routing/rules-and-priority/
var matchers = map[string][2]int{
	"Host": {1, 1}, "HostRegexp": {1, 1}, "Path": {1, 1}, "PathPrefix": {1, 1}, "PathRegexp": {1, 1}, "Method": {1, 1},
	"Header": {2, 2}, "HeaderRegexp": {2, 2}, "Query": {1, 2}, "QueryRegexp": {1, 2}, "ClientIP": {1, 1},
	"HostSNI": {1, 1}, "HostSNIRegexp": {1, 1}, "ALPN": {1, 1},
}

// rule is a router's rule as it is read: conditions joined by && and ||, with ! before one and brackets around some.
type rule struct {
	text  string
	at    int
	depth int
	not   bool // whether what is read now is negated
	found []matcher
}

// parseRule gives the conditions of a rule, or says what is wrong with it.
func parseRule(text string) ([]matcher, error) {
	r := &rule{text: text}
	if err := r.alternatives(); err != nil {
		return nil, err
	}
	if r.blank(); r.at < len(text) {
		return nil, fmt.Errorf("want && or || before %s", rest(text[r.at:]))
	}
	return r.found, nil
}

// alternatives reads conditions that && and || join.
func (r *rule) alternatives() error {
	const deepest = 16
	if r.depth++; r.depth > deepest {
		return fmt.Errorf("has more than %d brackets in each other", deepest)
	}
	defer func() { r.depth-- }()
	for {
		if err := r.condition(); err != nil {
			return err
		}
		if !r.takes("&&") && !r.takes("||") {
			return nil
		}
	}
}

func (r *rule) condition() error {
	before := r.not
	defer func() { r.not = before }()
	for r.takes("!") {
		r.not = !r.not
	}
	if !r.takes("(") {
		return r.matcher()
	}
	if err := r.alternatives(); err != nil {
		return err
	}
	if !r.takes(")") {
		return fmt.Errorf("want ) before %s", rest(r.text[r.at:]))
	}
	return nil
}

func (r *rule) matcher() error {
	r.blank()
	name := r.text[r.at:]
	if i := strings.IndexFunc(name, func(c rune) bool { return c < 'A' || c > 'Z' && c < 'a' || c > 'z' }); i >= 0 {
		name = name[:i]
	}
	if name == "" {
		return fmt.Errorf("want a condition such as Host(`blog.example.org`) before %s", rest(r.text[r.at:]))
	}
	r.at += len(name)
	args, err := r.arguments()
	if err != nil {
		return err
	}
	bounds, known := matchers[name]
	switch {
	case !known && name == "Headers":
		return fmt.Errorf("the condition Headers is of Traefik 2: write Header(`%s`)", strings.Join(args, "`, `"))
	case !known:
		return fmt.Errorf("no condition of Traefik 3 is called %s", rest(name))
	case len(args) > bounds[1] && bounds[1] == 1:
		return fmt.Errorf("%s with several values is of Traefik 2: write %s", name, separated(name, args))
	case len(args) < bounds[0] || len(args) > bounds[1]:
		return fmt.Errorf("%s wants %d values", name, bounds[0])
	}
	r.found = append(r.found, matcher{name, args, r.not})
	return nil
}

// separated is what Traefik 3 wants for a condition with several values.
func separated(name string, args []string) string {
	parts := make([]string, len(args))
	for i, a := range args {
		parts[i] = name + "(`" + a + "`)"
	}
	return strings.Join(parts, " || ")
}

func (r *rule) arguments() ([]string, error) {
	if !r.takes("(") {
		return nil, fmt.Errorf("want ( before %s", rest(r.text[r.at:]))
	}
	var args []string
	for {
		r.blank()
		if r.at == len(r.text) || !strings.ContainsRune("`\"", rune(r.text[r.at])) {
			return nil, fmt.Errorf("want a value in backquotes before %s", rest(r.text[r.at:]))
		}
		end := strings.IndexByte(r.text[r.at+1:], r.text[r.at])
		if end < 0 {
			return nil, fmt.Errorf("a quote is not closed: %s", rest(r.text[r.at:]))
		}
		args = append(args, r.text[r.at+1:r.at+1+end])
		r.at += end + 2
		if r.takes(",") {
			continue
		}
		if r.takes(")") {
			return args, nil
		}
		return nil, fmt.Errorf("want , or ) before %s", rest(r.text[r.at:]))
	}
}

// takes goes on behind a token, where it is the next one.
func (r *rule) takes(token string) bool {
	r.blank()
	if !strings.HasPrefix(r.text[r.at:], token) {
		return false
	}
	r.at += len(token)
	return true
}

func (r *rule) blank() {
	for r.at < len(r.text) && strings.ContainsRune(" \t\n\r", rune(r.text[r.at])) {
		r.at++
	}
}

// rest is a text as a message may show it.
func rest(text string) string {
	if text == "" {
		return "the end"
	}
	const most = 24
	if letters := []rune(text); len(letters) > most {
		text = string(letters[:most]) + "..."
	}
	return fmt.Sprintf("%q", text)
}

// hosts are the names that a rule wants, in lower case and sorted.
func hosts(found []matcher) []string {
	var out []string
	for _, m := range found {
		if m.name == "Host" && !m.not {
			out = append(out, strings.ToLower(m.args[0]))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
