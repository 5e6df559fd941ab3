package schema

import (
	"encoding/json"
	"strconv"
	"strings"
)

// Test is a question to the firewall and the answer that its author expects: Want, or else Only.
type Test struct {
	From  string     `json:"from"` // a zone, a node, or an address
	To    string     `json:"to"`   // a node, an address of one, or a group of nodes
	Port  uint16     `json:"port,omitempty"`
	Proto string     `json:"proto"`          // "tcp", "udp", "esp", "icmp", or with Only "all"
	Want  string     `json:"want,omitempty"` // "allow" or "deny"
	Only  []PortText `json:"only,omitzero"`  // nothing but these may be reached; nil when Want is given
}

// PortText is a port or a range as a test writes it: "443", "30000-32767", "7946/udp".
type PortText string

// UnmarshalJSON takes a number as well.
func (p *PortText) UnmarshalJSON(b []byte) error {
	if n, err := strconv.ParseUint(string(b), 10, 16); err == nil {
		*p = PortText(strconv.FormatUint(n, 10))
		return nil
	}
	return json.Unmarshal(b, (*string)(p))
}

// MarshalJSON writes a single port without a protocol as a number, as it was read.
func (p PortText) MarshalJSON() ([]byte, error) {
	if n, err := strconv.ParseUint(string(p), 10, 16); err == nil {
		return json.Marshal(n)
	}
	return json.Marshal(string(p))
}

// Range returns the ports, and the protocol or "" where the text names none. ok is false for what is no port.
func (p PortText) Range() (r PortRange, proto string, ok bool) {
	text, proto, _ := strings.Cut(string(p), "/")
	first, last, isRange := strings.Cut(text, "-")
	if !isRange {
		last = first
	}
	a, errA := strconv.ParseUint(first, 10, 16)
	b, errB := strconv.ParseUint(last, 10, 16)
	return PortRange{First: uint16(a), Last: uint16(b)}, proto, errA == nil && errB == nil && a > 0 && a <= b
}
