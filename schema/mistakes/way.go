package mistakes

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"skep.dev/schema/written"
)

// ways are the ways out for a value that is nearly right, by what the rule begins with: what to write instead, or nothing.
var ways = []struct {
	rule string
	way  func(w *explainer, got string) string
}{
	{"want a CIDR", network},
	{"want an IPv4 CIDR", network},
	{"want a list; for each element, want a CIDR", network},
	{"want an IP address", host},
	{"want a full domain name", domain},
	{"want a name of at most", plainName},
	{"want a port", ports},
	{"want an engine version", func(_ *explainer, got string) string { return instead(strings.TrimPrefix(got, "v"), got) }},
}

// way is the way out where a value is nearly right.
func (w *explainer) way(s, t *written.Field, rule string) string {
	if hint := w.quotes(s, t); hint != "" || t == nil {
		return hint
	}
	got := t.Got()
	if s != nil && s.Fields[strings.Trim(got, `"`)] != nil { // the name of a field, where the field belongs
		name := strings.Trim(got, `"`)
		return fmt.Sprintf(" (%s: %s)", name, w.schema().Example(s.Fields[name], 0))
	}
	if len(got) < 2 || got[0] != '"' {
		return ""
	}
	if text := strings.Trim(got, `"`); strings.Contains(text, "${") || strings.Contains(text, "{{") {
		return " (skep fills in no variables: write the value)"
	}
	for _, o := range ways {
		if strings.HasPrefix(rule, o.rule) {
			if hint := o.way(w, strings.Trim(got, `"`)); hint != "" {
				return " (" + hint + ")"
			}
		}
	}
	if strings.HasPrefix(rule, "want a list") && !strings.Contains(got, ",") {
		return " (write [" + got + "])"
	}
	return odd(got)
}

// odd names the first letter that only looks like a plain one, or that a keyboard has and a name must not.
func odd(text string) string {
	for _, r := range text {
		if r >= utf8.RuneSelf && unicode.IsLetter(r) {
			return fmt.Sprintf(" (%c is U+%04X)", r, r)
		}
	}
	return ""
}

func instead(plain, got string) string {
	if plain == got || plain == "" {
		return ""
	}
	return fmt.Sprintf("write %q", plain)
}

// network is an address alone, a mask, or a word for everybody.
func network(_ *explainer, got string) string {
	if slices.Contains(world, strings.ToLower(got)) {
		return `the whole world is ["0.0.0.0/0", "::/0"]`
	}
	if a, err := netip.ParseAddr(got); err == nil {
		return fmt.Sprintf("for one address: %q", netip.PrefixFrom(a, a.BitLen()))
	}
	address, mask, ok := strings.Cut(got, "/")
	a, err := netip.ParseAddr(address)
	m, wrong := netip.ParseAddr(mask)
	if !ok || err != nil || wrong != nil || !m.Is4() {
		return ""
	}
	bits := 0
	for _, b := range m.As4() {
		for ; b&0x80 != 0; b <<= 1 {
			bits++
		}
	}
	return fmt.Sprintf("write %q", netip.PrefixFrom(a, bits))
}

// host is an address with more around it.
func host(_ *explainer, got string) string {
	plain := strings.TrimSpace(got)
	if p, err := netip.ParsePrefix(plain); err == nil {
		plain = p.Addr().String()
	} else if p, err := netip.ParseAddrPort(plain); err == nil {
		plain = p.Addr().String()
	}
	if _, err := netip.ParseAddr(plain); err != nil {
		return ""
	}
	return instead(plain, got)
}

var fullName = regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)+$`)

// domain is a URL, a name with a port, or a name in capitals.
func domain(_ *explainer, got string) string {
	plain := strings.TrimSuffix(strings.ToLower(strings.TrimSpace(got)), ",")
	if _, rest, ok := strings.Cut(plain, "://"); ok {
		plain = rest
	}
	plain, _, _ = strings.Cut(plain, "/")
	plain, _, _ = strings.Cut(plain, ":")
	plain = strings.TrimSuffix(plain, ".")
	if !fullName.MatchString(plain) {
		return ""
	}
	return instead(plain, got)
}

// plainName is the address of a node in place of its name, or a name in capitals and with other signs.
func plainName(w *explainer, got string) string {
	if nodes := w.spec.Root().Fields["nodes"]; nodes != nil {
		for _, name := range nodes.Names {
			if address := nodes.Fields[name].Fields["address"]; address != nil && address.Got() == `"`+got+`"` {
				return fmt.Sprintf("that is the address of %q", name)
			}
		}
	}
	plain := strings.NewReplacer("_", "-", " ", "-").Replace(strings.ToLower(got))
	if !regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`).MatchString(plain) {
		return ""
	}
	return instead(plain, got)
}

// ports is a range in one value.
func ports(_ *explainer, got string) string {
	first, last, ok := strings.Cut(got, "-")
	if number := regexp.MustCompile(`^[0-9]+$`); !ok || !number.MatchString(first) || !number.MatchString(last) {
		return ""
	}
	return "a range: port: " + first + ", last: " + last
}
