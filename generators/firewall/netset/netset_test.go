package netset

import (
	"net/netip"
	"slices"
	"testing"

	"skep.dev/schema"
)

func TestMerge(t *testing.T) {
	for _, test := range []struct{ in, want []string }{
		{nil, nil},
		{[]string{"10.0.0.1/32"}, []string{"10.0.0.1/32"}},
		{[]string{"10.0.0.2/32", "10.0.0.3/32", "10.0.0.1/32"}, []string{"10.0.0.1/32", "10.0.0.2/31"}},
		{[]string{"10.0.0.0/32", "10.0.0.1/32", "10.0.0.2/32", "10.0.0.3/32"}, []string{"10.0.0.0/30"}},
		{[]string{"10.0.0.1/32", "10.0.0.2/32"}, []string{"10.0.0.1/32", "10.0.0.2/32"}}, // neighbours, not halves
		{[]string{"10.0.0.0/8", "10.1.0.0/16", "10.0.0.0/8"}, []string{"10.0.0.0/8"}},
		{[]string{"10.1.0.0/16", "10.0.0.0/8", "11.0.0.0/8"}, []string{"10.0.0.0/7"}},
		{[]string{"0.0.0.0/1", "128.0.0.0/1"}, []string{"0.0.0.0/0"}},
		{[]string{"0.0.0.0/0", "192.0.2.1/32"}, []string{"0.0.0.0/0"}},
		{[]string{"10.0.0.7/8"}, []string{"10.0.0.0/8"}}, // host bits
		{[]string{"255.255.255.255/32", "255.255.255.254/32"}, []string{"255.255.255.254/31"}},
		{[]string{"2001:db8::1/128", "2001:db8::/128", "::/0"}, []string{"::/0"}},
		{[]string{"2001:db8::1/128", "2001:db8::/128", "10.0.0.1/32"}, []string{"10.0.0.1/32", "2001:db8::/127"}},
	} {
		var in []netip.Prefix
		for _, s := range test.in {
			in = append(in, netip.MustParsePrefix(s))
		}
		var got []string
		for _, p := range Merge(in) {
			got = append(got, p.String())
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("Merge(%v) = %v, want %v", test.in, got, test.want)
		}
	}
}

func TestMergeOfAWholeCluster(t *testing.T) {
	var in []netip.Prefix
	a := netip.MustParseAddr("10.0.0.1")
	for range 10_000 {
		in = append(in, Host(a))
		a = a.Next()
	}
	if got := Merge(in); len(got) > 32 {
		t.Errorf("10,000 consecutive addresses merge to %d prefixes, want at most 32", len(got))
	}
}

func TestSubtract(t *testing.T) {
	type r = schema.PortRange
	whole := []r{{First: 30000, Last: 32767}}
	for _, test := range []struct{ in, holes, want []r }{
		{whole, nil, whole},
		{whole, []r{{First: 22, Last: 22}, {First: 40000, Last: 40001}}, whole},
		{whole, []r{{First: 30000, Last: 30000}}, []r{{First: 30001, Last: 32767}}},
		{whole, []r{{First: 32767, Last: 32767}}, []r{{First: 30000, Last: 32766}}},
		{whole, []r{{First: 31001, Last: 31001}, {First: 31000, Last: 31000}}, []r{{First: 30000, Last: 30999}, {First: 31002, Last: 32767}}},
		{whole, []r{{First: 1, Last: 30010}}, []r{{First: 30011, Last: 32767}}},
		{whole, []r{{First: 30000, Last: 32767}}, nil},
		{[]r{{First: 1, Last: 65535}}, []r{{First: 65535, Last: 65535}, {First: 1, Last: 1}}, []r{{First: 2, Last: 65534}}},
		{[]r{{First: 1, Last: 65535}}, []r{{First: 1, Last: 65535}}, nil},
		{[]r{{First: 5, Last: 9}, {First: 10, Last: 12}}, []r{{First: 10, Last: 10}}, []r{{First: 5, Last: 9}, {First: 11, Last: 12}}},
	} {
		if got := Subtract(test.in, test.holes); !slices.Equal(got, test.want) {
			t.Errorf("Subtract(%v, %v) = %v, want %v", test.in, test.holes, got, test.want)
		}
	}
}
