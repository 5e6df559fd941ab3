package proof

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"skep.dev/generators/firewall/netset"
	"skep.dev/schema"
)

// read reads a ruleset of a bundle back, line by line. It refuses, with file and line, whatever skep does not write.
func read(path string, data []byte, d dialect, line func(*reader, string) bool) (*Ruleset, error) {
	s := &Ruleset{Path: path, dialect: d, chains: map[string]*ruleChain{}, sets: map[string]*addressSet{}}
	r := &reader{set: s, family: d.families[0]}
	for text := range strings.Lines(string(data)) {
		r.line++
		text = strings.TrimRight(text, "\n")
		if comment, ok := strings.CutPrefix(strings.TrimSpace(text), "# "); ok {
			if r.comment = comment; strings.HasSuffix(comment, ": open to nobody") {
				r.comment = "" // no rule follows
			}
			continue
		}
		if !line(r, strings.TrimLeft(text, "\t")) {
			return nil, fmt.Errorf("%s:%d: %q is not a line that skep writes", path, r.line, text)
		}
	}
	if r.in != ended {
		return nil, fmt.Errorf("%s:%d: unexpected end of file", path, r.line)
	}
	return s, s.check()
}

// within is the part of a file that a line stands in.
type within int

const (
	top    within = iota
	table1        // named, to exist
	table2        // named, to be deleted
	inTable
	inSet
	inElements
	inCounter
	inChain
	ended
)

type reader struct {
	set     *Ruleset
	family  netset.Family // of an iptables file
	line    int
	comment string
	in      within
	chain   *ruleChain
	address *addressSet
	flags   bool   // of that set
	hooked  bool   // the base chain of nft
	before  string // of the last rule of iptables, around its prefix; "" when it has more than that
	behind  string
}

// field takes the comment above a rule or set.
func (r *reader) field() string {
	c := r.comment
	r.comment = ""
	return c
}

func (r *reader) addChain(name string) bool {
	if r.set.chains[name] != nil || name == "" {
		return false
	}
	r.chain = &ruleChain{name: name, line: r.line}
	r.set.chains[name] = r.chain
	return true
}

// words splits a line at blanks; what is quoted stays together and keeps its first quote.
func words(line string) []string {
	var out []string
	for line != "" {
		if line[0] == '"' {
			end := strings.IndexByte(line[1:], '"')
			if end < 0 {
				return append(out, line)
			}
			out = append(out, line[:end+1])
			line = strings.TrimLeft(line[end+2:], " ")
			continue
		}
		word, rest, _ := strings.Cut(line, " ")
		out = append(out, word)
		line = rest
	}
	return out
}

// tokens are the words of a rule, taken from the front.
type tokens []string

// next takes the first word; "" when there is none.
func (t *tokens) next() string {
	if len(*t) == 0 {
		return ""
	}
	word := (*t)[0]
	*t = (*t)[1:]
	return word
}

// take takes the words if they come next.
func (t *tokens) take(want ...string) bool {
	if len(*t) < len(want) {
		return false
	}
	for i, w := range want {
		if (*t)[i] != w {
			return false
		}
	}
	*t = (*t)[len(want):]
	return true
}

// quoted takes a quoted word.
func (t *tokens) quoted() (string, bool) {
	if len(*t) > 0 && strings.HasPrefix((*t)[0], `"`) {
		return t.next()[1:], true
	}
	return "", false
}

// list takes one word, or several in braces.
func (t *tokens) list() []string {
	if !t.take("{") {
		if word := t.next(); word != "" {
			return []string{word}
		}
		return nil
	}
	var out []string
	for len(*t) > 0 {
		word := t.next()
		if word == "}" {
			return out
		}
		out = append(out, strings.TrimSuffix(word, ","))
	}
	return nil
}

// portRanges reads ports and ranges, which have to be sorted and disjoint.
func portRanges(texts []string, dash string) ([]schema.PortRange, bool) {
	var out []schema.PortRange
	for _, text := range texts {
		first, last, isRange := strings.Cut(text, dash)
		if !isRange {
			last = first
		}
		a, errA := strconv.ParseUint(first, 10, 16)
		b, errB := strconv.ParseUint(last, 10, 16)
		if errA != nil || errB != nil || a > b || len(out) > 0 && uint64(out[len(out)-1].Last) >= a {
			return nil, false
		}
		out = append(out, schema.PortRange{First: uint16(a), Last: uint16(b)})
	}
	return out, len(out) > 0
}

// prefix reads a CIDR, or one address, without bits beyond its length.
func prefix(text string, f netset.Family) (netip.Prefix, bool) {
	p, err := netip.ParsePrefix(text)
	if err != nil {
		a, err := netip.ParseAddr(text)
		if err != nil || a.Zone() != "" {
			return netip.Prefix{}, false
		}
		p = netset.Host(a)
	}
	return p, p == p.Masked() && netset.FamilyOf(p.Addr()) == f
}
