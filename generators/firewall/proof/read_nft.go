package proof

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"skep.dev/generators/firewall/netset"
	"skep.dev/schema"
)

// The names that skep gives to what it writes for nft.
const (
	table     = "skep"
	logPrefix = "skep-drop " // in the kernel's log, with every backend
	senders   = 65535        // how many the kernel counts
)

// ReadNft reads back the text of a file for nft.
func ReadNft(path string, data []byte) (*Ruleset, error) {
	d := dialect{base: "prerouting", inside: "containers", refuse: "refuse", policy: drop, families: netset.Families()}
	return read(path, data, d, (*reader).nft)
}

// nft reads one line of a file for nft; false for a line that skep does not write.
func (r *reader) nft(line string) bool {
	t := tokens(words(line))
	switch r.in {
	case top, table1, table2:
		return r.nftHead(line)
	case inTable:
		return r.nftTable(line, t)
	case inSet:
		return r.nftSet(line)
	case inElements:
		if line == "}" {
			r.in = inSet
			return len(r.address.prefixes) > 0
		}
		p, ok := prefix(strings.TrimSuffix(line, ","), r.address.family)
		return ok && r.address.add(p, r.line)
	case inCounter:
		r.comment, r.in = "", inTable
		return line == "}"
	case inChain:
		return r.nftChain(line, t)
	}
	return false
}

func (r *reader) nftHead(line string) bool {
	switch {
	case line == "#!/usr/sbin/nft -f" && r.line == 1:
	case line == "table inet "+table && r.in == top:
		r.in = table1
	case line == "delete table inet "+table && r.in == table1:
		r.in = table2
	case line == "table inet "+table+" {" && r.in == table2:
		r.in = inTable
	default:
		return false
	}
	r.comment = ""
	return true
}

func (r *reader) nftTable(line string, t tokens) bool {
	switch {
	case line == "":
	case line == "}":
		r.in = ended
	case len(t) == 3 && t[0] == "set" && t[2] == "{":
		if r.set.sets[t[1]] != nil {
			return false
		}
		r.address = &addressSet{name: t[1], field: r.field()}
		r.set.sets[t[1]] = r.address
		r.in, r.flags = inSet, false
	case len(t) == 3 && t[0] == "counter" && t[2] == "{":
		r.in = inCounter
	case len(t) == 3 && t[0] == "chain" && t[2] == "{":
		r.comment, r.in = "", inChain
		return r.addChain(t[1])
	default:
		return false
	}
	return true
}

func (r *reader) nftSet(line string) bool {
	switch line {
	case "type ipv4_addr":
		r.address.family = netset.V4
	case "type ipv6_addr":
		r.address.family = netset.V6
	case "flags interval", "flags dynamic":
		r.flags = true
	case fmt.Sprintf("size %d", senders):
	case "elements = {":
		r.in = inElements
		return r.address.family != 0
	case "}":
		r.in = inTable
		return r.flags && r.address.family != 0
	default:
		return false
	}
	return true
}

func (r *reader) nftChain(line string, t tokens) bool {
	if line == "}" {
		r.in = inTable
		return true
	}
	if r.chain.name == r.set.base && !r.hooked { // without this line the kernel would send no packet there
		r.hooked = line == "type filter hook prerouting priority mangle; policy drop;"
		return r.hooked
	}
	text, _, _ := strings.Cut(line, ` comment "`)
	out := &rule{line: r.line, text: text, field: r.field()}
	for len(t) > 0 {
		left := len(t)
		m, ok := r.nftMatch(&t, out)
		if !ok && len(t) < left {
			return false // it begins like a match, and is none
		}
		if !ok {
			break
		}
		out.matches = append(out.matches, m)
	}
	if !nftAction(&t, out) {
		return false
	}
	if t.take("comment") {
		if _, ok := t.quoted(); !ok {
			return false
		}
	}
	r.chain.rules = append(r.chain.rules, out)
	return len(t) == 0
}

func nftAction(t *tokens, r *rule) bool {
	if t.take("counter", "name") {
		if _, ok := t.quoted(); !ok || len(*t) == 0 || (*t)[0] != "drop" && (*t)[0] != "goto" {
			return false
		}
	}
	switch {
	case t.take("accept"):
		r.action = accept
	case t.take("return"):
		r.action = back
	case t.take("drop"), t.take("counter", "drop"):
		r.action = drop
	case t.take("goto"):
		r.action, r.target = goTo, t.next()
	case t.take("jump"):
		r.action, r.target = jump, t.next()
	case slices.ContainsFunc(r.matches, func(m match) bool { return m == logMatch{} }):
		return true
	default:
		return false
	}
	return r.action == accept || r.action == back || r.action == drop || r.target != ""
}

// nftMatch takes the next match, if the words are one.
func (r *reader) nftMatch(t *tokens, out *rule) (match, bool) {
	switch {
	case t.take("iifname", "!="):
		name, ok := t.quoted()
		return deviceMismatch{name}, ok
	case t.take("iifname"):
		name, ok := t.quoted()
		return deviceMatch{name}, ok
	case t.take("ct", "state"):
		return stateMatch(strings.Split(t.next(), ",")), true
	case t.take("fib", "daddr", "type", "!=", "{", "local,", "broadcast,", "multicast,", "anycast", "}"):
		return elsewhereMatch{}, true
	case t.take("fib", "saddr", ".", "iif", "oif", "missing"):
		return strayMatch{}, true
	case out.answers() && t.take("fib", "saddr", ".", "iif", "oif", "exists"):
		return wayBackMatch{}, true
	case t.take("meta", "nfproto", "ipv4"):
		return familyMatch(netset.V4), true
	case t.take("meta", "nfproto", "ipv6"):
		return familyMatch(netset.V6), true
	case t.take("meta", "l4proto"):
		return protocolMatch(t.next())
	case t.take("add"):
		return r.nftCrowd(t)
	case t.take("meta", "pkttype", "host", "limit", "rate", "5/minute", "burst", "10", "packets", "log", "prefix", `"`+logPrefix, "level", "info"):
		return logMatch{}, true
	case t.take("icmp", "type"):
		return icmpNames(netset.V4, t.list())
	case t.take("icmpv6", "type"):
		return icmpNames(netset.V6, t.list())
	case t.take("ip"):
		return r.nftAddress(netset.V4, t)
	case t.take("ip6"):
		return r.nftAddress(netset.V6, t)
	case t.take("tcp"):
		return nftPorts("tcp", t)
	case t.take("udp"):
		return nftPorts("udp", t)
	}
	return nil, false
}

func nftPorts(proto string, t *tokens) (match, bool) {
	m := portMatch{proto: proto, source: t.take("sport")}
	if !m.source && !t.take("dport") {
		return nil, false
	}
	var ok bool
	m.ranges, ok = portRanges(t.list(), "-")
	return m, ok
}

// nftAddress takes a set of the family, or one prefix.
func (r *reader) nftAddress(f netset.Family, t *tokens) (match, bool) {
	m := addressMatch{source: t.take("saddr")}
	if !m.source && !t.take("daddr") {
		return nil, false
	}
	word := t.next()
	if name, ok := strings.CutPrefix(word, "@"); ok {
		m.set = r.set.sets[name]
		return m, m.set != nil && m.set.family == f
	}
	p, ok := prefix(word, f)
	m.set = &addressSet{family: f}
	return m, ok && m.set.add(p, r.line)
}

func icmpNames(f netset.Family, names []string) (match, bool) {
	m := icmpMatch{family: f}
	for _, name := range names {
		number, ok := icmpTypes(f)[name]
		if !ok {
			return nil, false
		}
		m.numbers = append(m.numbers, number)
	}
	return m, len(names) > 0
}

// protocolMatch reads a protocol without ports: its number, but for esp.
func protocolMatch(word string) (match, bool) {
	if word == "esp" {
		return protoMatch(word), true
	}
	n, err := strconv.Atoi(word)
	proto := schema.Protocol(n)
	_, known := schema.ProtocolNumber(proto)
	return protoMatch(proto), err == nil && known && proto != "esp" && strconv.Itoa(n) == word
}

// nftCrowd takes what counts the connections of a sender.
func (r *reader) nftCrowd(t *tokens) (match, bool) {
	name, ok := strings.CutPrefix(t.next(), "@")
	set := r.set.sets[name]
	if !ok || set == nil {
		return nil, false
	}
	way := []string{"{", "ip", "saddr"}
	if set.family == netset.V6 {
		way = []string{"{", "ip6", "saddr", "&", "ffff:ffff:ffff:ffff::"}
	}
	if !t.take(way...) || !t.take("ct", "count", "over") {
		return nil, false
	}
	_, err := strconv.Atoi(t.next())
	return crowdMatch{}, err == nil && t.take("}")
}
