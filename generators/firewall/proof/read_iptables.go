package proof

import (
	"strconv"
	"strings"

	"skep.dev/generators/firewall/netset"
)

// chain is the first of skep's; the names of the others begin with it.
const chain = "SKEP"

// ReadIptables4 reads back the text of a file for iptables-restore.
func ReadIptables4(path string, data []byte) (*Ruleset, error) {
	return readIptables(path, data, netset.V4)
}

// ReadIptables6 reads back the text of a file for ip6tables-restore.
func ReadIptables6(path string, data []byte) (*Ruleset, error) {
	return readIptables(path, data, netset.V6)
}

func readIptables(path string, data []byte, f netset.Family) (*Ruleset, error) {
	d := dialect{base: chain, inside: chain + "-INSIDE", refuse: chain + "-REFUSE", policy: accept, families: []netset.Family{f}}
	return read(path, data, d, (*reader).iptables)
}

// jumpedTo reports whether a chain goes back to the one that it was reached from: those that count connections.
func jumpedTo(name string) bool {
	return strings.HasPrefix(name, chain+"-CROWD-") || strings.HasPrefix(name, chain+"-FULL-")
}

// iptables reads one line of a file for iptables-restore; false for a line that skep does not write.
func (r *reader) iptables(line string) bool {
	if r.oneMore(line) {
		return true
	}
	t := tokens(words(line))
	switch {
	case r.in == top && line == "*mangle":
		r.in, r.comment = inTable, ""
		return true
	case r.in == inTable && len(t) == 3 && strings.HasPrefix(t[0], ":") && t[1] == "-" && t[2] == "[0:0]":
		return r.addChain(t[0][1:])
	case r.in == inTable && t.take("-A"):
		r.chain = r.set.chains[t.next()]
		return r.chain != nil && r.iptablesRule(line, t)
	case r.in == inTable && line == "COMMIT":
		r.in = ended
		return true
	}
	return false
}

func (r *reader) iptablesRule(line string, t tokens) bool {
	out := &rule{line: r.line, text: withoutComment(line), field: r.field()}
	logs := false
	for len(t) > 0 {
		switch {
		case jumpedTo(r.chain.name) && t.take("-j", "RETURN"):
			out.action = back // it was jumped to
		case t.take("-j", "RETURN"):
			out.action = accept // each other chain is gone to, so this leaves the filter
		case t.take("-j", "DROP"):
			out.action = drop
		case t.take("-j", chain+"-STRAY"):
			out.action, out.target = jump, chain+"-STRAY" // what passes it goes on
		case len(t) == 2 && jumpedTo(t[1]) && t.take("-j"):
			out.action, out.target = jump, t.next()
		case t.take("-g"):
			out.action, out.target = goTo, t.next()
		case t.take("-m", "pkttype", "--pkt-type", "unicast", "-m", "limit", "--limit", "5/min", "--limit-burst", "10", "-j", "LOG", "--log-prefix", `"`+logPrefix, "--log-level", "info"):
			logs = true
		case t.take("-m", "comment", "--comment"):
			t.next()
			continue
		default:
			m, ok := r.iptablesMatch(&t, out)
			if !ok {
				return false
			}
			out.matches = append(out.matches, m)
			continue
		}
		if len(t) > 0 || out.action == goTo && out.target == "" {
			return false
		}
		if r.before = ""; logs {
			return len(out.matches) == 0
		}
		r.addRule(out)
		r.repeatable(out, line)
		return true
	}
	return false
}

// withoutComment cuts the words of the comment match out of a rule.
func withoutComment(line string) string {
	before, after, ok := strings.Cut(line, " -m comment --comment ")
	if !ok {
		return line
	}
	if rest, quoted := strings.CutPrefix(after, `"`); quoted {
		_, after, _ = strings.Cut(rest, `"`)
		return before + after
	}
	_, after, _ = strings.Cut(after, " ")
	return before + " " + after
}

// oneMore takes a line that differs from the last one in its prefix only; most lines of a large cluster do.
func (r *reader) oneMore(line string) bool {
	if r.in != inTable || r.before == "" || r.comment != "" || !strings.HasPrefix(line, r.before) || !strings.HasSuffix(line, r.behind) || len(line) <= len(r.before)+len(r.behind) {
		return false
	}
	p, ok := prefix(line[len(r.before):len(line)-len(r.behind)], r.family)
	if !ok {
		return false
	}
	m, ok := lonely(r.chain.rules[len(r.chain.rules)-1])
	return ok && m.set.add(p, r.line)
}

// repeatable notes what a line has around its prefix, for oneMore.
func (r *reader) repeatable(next *rule, line string) {
	r.before, r.behind = "", ""
	if m, ok := lonely(next); ok {
		text := m.set.prefixes[0].String()
		if before, behind, ok := strings.Cut(line, " "+text+" "); ok {
			r.before, r.behind = before+" ", " "+behind
		}
	}
}

// addRule appends a rule, or joins it with the last one when both only ask for an address and do the same.
func (r *reader) addRule(next *rule) {
	if n := len(r.chain.rules); n > 0 && next.field == "" {
		last := r.chain.rules[n-1]
		a, okA := lonely(last)
		b, okB := lonely(next)
		if okA && okB && a.source == b.source && last.action == next.action && last.target == next.target && a.set.add(b.set.prefixes[0], next.line) {
			return
		}
	}
	r.chain.rules = append(r.chain.rules, next)
}

// lonely returns the address match of a rule that has no other.
func lonely(r *rule) (addressMatch, bool) {
	if len(r.matches) != 1 {
		return addressMatch{}, false
	}
	m, ok := r.matches[0].(addressMatch)
	return m, ok
}

func (r *reader) iptablesMatch(t *tokens, out *rule) (match, bool) {
	switch {
	case t.take("-i"):
		name := t.next()
		if prefix, ok := strings.CutSuffix(name, "+"); ok {
			name = prefix + "*"
		}
		return deviceMatch{name}, name != ""
	case t.take("!", "-i"):
		name := t.next()
		return deviceMismatch{name}, name != ""
	case t.take("-m", "conntrack", "--ctstate"):
		return stateMatch(strings.Split(strings.ToLower(t.next()), ",")), true
	case r.family == netset.V4 && t.take("-m", "addrtype", "!", "--dst-type", "LOCAL,BROADCAST,MULTICAST,ANYCAST"),
		r.family == netset.V6 && t.take("!", "-d", "ff00::/8", "-m", "addrtype", "!", "--dst-type", "LOCAL,ANYCAST"):
		return elsewhereMatch{}, true
	case t.take("-m", "rpfilter", "--invert"):
		return strayMatch{}, true
	case out.answers() && t.take("-m", "rpfilter"):
		return wayBackMatch{}, true
	case t.take("-s"):
		return r.iptablesAddress(t, out, addressMatch{source: true})
	case t.take("-d"):
		return r.iptablesAddress(t, out, addressMatch{})
	case t.take("-p", "tcp"):
		return iptablesPorts("tcp", t)
	case t.take("-p", "udp"):
		return iptablesPorts("udp", t)
	case t.take("--dport"): // after --sport
		ranges, ok := portRanges([]string{t.next()}, ":")
		return portMatch{proto: "udp", ranges: ranges}, ok && len(out.matches) > 0
	case r.family == netset.V4 && t.take("-p", "icmp", "--icmp-type"), r.family == netset.V6 && t.take("-p", "icmpv6", "--icmpv6-type"):
		number, err := strconv.Atoi(t.next())
		return icmpMatch{family: r.family, numbers: []int{number}}, err == nil && accepted(r.family, number)
	case t.take("-p"):
		return protocolMatch(t.next())
	case t.take("-m", "connlimit", "--connlimit-above"):
		_, err := strconv.Atoi(t.next())
		mask := map[netset.Family]string{netset.V4: "32", netset.V6: "64"}[r.family]
		return crowdMatch{}, err == nil && t.take("--connlimit-mask", mask, "--connlimit-saddr")
	}
	return nil, false
}

func iptablesPorts(proto string, t *tokens) (match, bool) {
	m := portMatch{proto: proto, source: t.take("--sport")}
	if !m.source && !t.take("--dport") {
		return nil, false
	}
	var ok bool
	m.ranges, ok = portRanges([]string{t.next()}, ":")
	return m, ok
}

func (r *reader) iptablesAddress(t *tokens, out *rule, m addressMatch) (match, bool) {
	p, ok := prefix(t.next(), r.family)
	m.set = &addressSet{field: out.field, family: r.family}
	return m, ok && m.set.add(p, r.line)
}
