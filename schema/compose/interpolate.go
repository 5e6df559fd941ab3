package compose

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"skep.dev/schema/finding"
)

// projectName is a variable that Compose sets and docker stack deploy does not.
const projectName = "COMPOSE_PROJECT_NAME"

// interpolate replaces the variables of all files. What is missing in a service whose profiles are off is nobody's loss.
func (r *reader) interpolate(p *places) {
	for _, f := range p.files {
		for _, e := range f.root.entries {
			if e.key != "services" {
				r.expand(e.value, []string{e.key})
				continue
			}
			for _, s := range e.value.entries {
				profiles := p.profiles(s.key)
				r.quiet = len(profiles) > 0 && !slices.ContainsFunc(profiles, r.on)
				r.expand(s.value, []string{"services", s.key})
				r.quiet = false
			}
		}
	}
}

// expand replaces the variables in every text of a tree.
func (r *reader) expand(n *node, path []string) {
	switch {
	case n.kind == scalar && !n.bare:
		s := &substitution{reader: r, at: n.at, path: dotted(path)}
		if n.text = s.text(n.text, 0); !s.failed && !s.lacks {
			r.cast(n, path)
		}
	case n.kind == list:
		for i, item := range n.items {
			r.expand(item, append(path[:len(path):len(path)], fmt.Sprint(i)))
		}
	case n.kind == mapping:
		for _, e := range n.entries {
			r.expand(e.value, append(path[:len(path):len(path)], e.key))
		}
	}
}

// substitution is one text whose variables are replaced. The braces of a variable are balanced, so that a default may be a
// template such as {{.Task.Slot}}.
type substitution struct {
	reader *reader
	at     place
	path   string
	seen   int
	failed bool
	lacks  bool // a value, so that its type means nothing
}

func (s *substitution) say(id finding.ID, got, text string) {
	s.failed = true
	s.reader.say(id, s.at, s.path, got, text)
}

func (s *substitution) text(text string, depth int) string {
	var out strings.Builder
	for !s.failed {
		before, rest, found := strings.Cut(text, "$")
		out.WriteString(before)
		if !found {
			break
		}
		if s.seen++; s.seen > maxVariables {
			s.say(finding.TooBig, "", fmt.Sprintf("has more than %d variables: split the text, or put it into a file that configs: names", maxVariables))
			break
		}
		var value string
		value, text = s.variable(rest, depth)
		out.WriteString(value)
		if out.Len() > maxText {
			s.say(finding.TooBig, "", fmt.Sprintf("has more than %d KiB with its variables: put the text into a file, and name it below configs:", maxText>>10))
		}
	}
	return out.String()
}

// variable gives the value of what follows a $, and the text behind it.
func (s *substitution) variable(rest string, depth int) (value, behind string) {
	if strings.HasPrefix(rest, "$") {
		return "$", rest[1:]
	}
	if name := nameAt(rest); name != "" {
		return s.value(name, "", "", "$"+name, depth), rest[len(name):]
	}
	end := closing(rest)
	if end < 0 {
		s.say(finding.Syntax, "", "a $ is the start of a variable: write $$ for one that the container should see")
		return "", ""
	}
	inner := rest[1:end]
	name := nameAt(inner)
	for _, operator := range []string{"", ":-", "-", ":?", "?", ":+", "+"} {
		argument, ok := strings.CutPrefix(inner[len(name):], operator)
		if name != "" && ok && (operator != "" || argument == "") {
			return s.value(name, operator, argument, "$"+rest[:end+1], depth), rest[end+1:]
		}
	}
	s.say(finding.Syntax, cut("$"+rest[:end+1]), "not a variable: want ${NAME} or ${NAME:-default}, and $$ for a $ that the container should see")
	return "", ""
}

// value gives what a variable stands for.
func (s *substitution) value(name, operator, argument, written string, depth int) string {
	s.reader.used[name] = true
	if depth == maxNesting {
		s.say(finding.TooBig, "", fmt.Sprintf("has defaults in defaults, more than %d deep", maxNesting))
		return ""
	}
	if name == projectName {
		s.say(finding.ReservedVariable, cut(written), fmt.Sprintf("docker stack deploy does not set it: write %s, the name of the stack", s.reader.request.Name))
		return ""
	}
	value, set := s.reader.request.Values[name]
	full := set && (value != "" || !strings.HasPrefix(operator, ":"))
	switch otherwise := operator != "" && operator[len(operator)-1] == '-'; {
	case strings.HasSuffix(operator, "+") && full, otherwise && !full:
		return s.text(argument, depth+1)
	case strings.HasSuffix(operator, "+"):
		value = ""
	case !full:
		s.missing(name, cut(written), argument)
	}
	s.reader.mark(argument)
	return value
}

// mark notes the variables of a default that is not taken.
func (r *reader) mark(text string) {
	for _, part := range strings.Split(strings.ReplaceAll(text, "$$", ""), "$")[1:] {
		r.used[nameAt(strings.TrimPrefix(part, "{"))] = true
	}
}

// missing tells of a variable once: the line to add is the same for all of its places.
func (s *substitution) missing(name, written, why string) {
	if s.reader.quiet {
		return
	}
	s.lacks = true
	if s.reader.missing[name] {
		return
	}
	s.reader.missing[name] = true
	s.reader.want(&s.reader.wants.Values, name, s.key(name), s.at)
	text := "has no value and no default, and docker stack deploy would put nothing here"
	if why != "" {
		text += " (" + cut(strings.Join(strings.Fields(why), " ")) + ")"
	}
	if IsSecretName(name) {
		text += ": " + secretWay(s.reader.request.Name, name, s.key(name))
	} else {
		text += fmt.Sprintf(": add stacks: %s: values: %s: \"...\"", finding.Label(s.reader.request.Name), name)
	}
	if !strings.HasPrefix(written, "${") {
		text += ", or write $" + written + " if the container should see it"
	}
	s.reader.say(finding.VariableWithoutValue, s.at, s.path, written, text)
}

// key is what the container calls the variable: the key in environment, or the same name where it is part of something else.
func (s *substitution) key(name string) string {
	if path := strings.Split(s.path, "."); len(path) == 4 && path[2] == "environment" && nameAt(path[3]) == path[3] {
		return path[3]
	}
	return name
}

// secretName is what variables with a secret are called. NAME_FILE names the file that has it.
var secretName = regexp.MustCompile(`(?i)(passw(or)?d|passphrase|secret|token|api_?key|private_?key|credentials?)(_?[0-9]+)?$`)

// IsSecretName reports whether a variable of that name has a secret, most often.
func IsSecretName(name string) bool { return secretName.MatchString(name) }

// secretWay is the way out for a variable whose value may not stand in the spec, and which the container knows by its key.
func secretWay(stack, name, key string) string {
	return fmt.Sprintf("it looks like a secret, which stands neither in the spec nor in the bundle: add stacks: %s: secrets: %s: {}, and have the service read it from a file, as many images do with %s_FILE",
		finding.Label(stack), strings.ToLower(name), key)
}

// nameAt gives the name of a variable at the start of a text, or none.
func nameAt(s string) string {
	i := 0
	for i < len(s) && (s[i] == '_' || s[i]|0x20 >= 'a' && s[i]|0x20 <= 'z' || i > 0 && s[i] >= '0' && s[i] <= '9') {
		i++
	}
	return s[:i]
}

// closing gives where the brace that a text begins with is closed, or -1.
func closing(s string) int {
	if !strings.HasPrefix(s, "{") {
		return -1
	}
	depth := 0
	for i := range len(s) {
		switch s[i] {
		case '{':
			depth++
		case '}':
			depth--
		}
		if depth == 0 {
			return i
		}
	}
	return -1
}

func cut(s string) string {
	const longest = 80
	if len(s) > longest {
		return s[:longest] + "..."
	}
	return s
}

// unused finds values and profiles that no file names: a typo, most often.
func (r *reader) unused(profiles map[string]bool) {
	for _, name := range slices.Sorted(maps.Keys(r.request.Values)) {
		switch {
		case name == projectName:
			r.saySpec(finding.ReservedVariable, "values."+name, "", "the stack has a name already: remove it")
		case !r.used[name]:
			r.saySpec(finding.UnusedValue, "values."+name, "", fmt.Sprintf("no Compose file of the stack has ${%s}: correct the name, or remove it", name))
		}
	}
	for _, name := range r.request.Profiles {
		if !profiles[strings.TrimPrefix(name, "!")] {
			r.saySpec(finding.UnusedValue, "profiles", quoted(name), "no service of the stack has this profile: correct the name, or remove it")
		}
	}
}

// on reports whether a profile is on.
func (r *reader) on(profile string) bool {
	return slices.Contains(r.request.Profiles, profile)
}
