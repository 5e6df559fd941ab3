package schema

import (
	"strconv"
	"strings"
)

// Version is major, minor, patch.
type Version [3]int

// newest stands for a part that a tag leaves out.
const newest = 1 << 30

// Less reports whether v comes before w.
func (v Version) Less(w Version) bool {
	for i := range v {
		if v[i] != w[i] {
			return v[i] < w[i]
		}
	}
	return false
}

// ParseVersion reads an engine version; what is not given is 0.
func ParseVersion(s string) Version {
	var v Version
	for i, part := range strings.SplitN(s, ".", len(v)) {
		n, err := strconv.Atoi(part)
		if err != nil {
			break
		}
		v[i] = n
	}
	return v
}

// Has reports whether an engine is within the range.
func (r Versions) Has(v Version) bool {
	return !v.Less(ParseVersion(r.From)) && v.Less(ParseVersion(r.Below))
}

// Holds reports whether all engines of another range are within this one.
func (r Versions) Holds(o Versions) bool {
	return r.Has(ParseVersion(o.From)) && !ParseVersion(r.Below).Less(ParseVersion(o.Below))
}

// Meets reports whether two ranges have an engine in common.
func (r Versions) Meets(o Versions) bool {
	return ParseVersion(r.From).Less(ParseVersion(o.Below)) && ParseVersion(o.From).Less(ParseVersion(r.Below))
}

// ImageVersion reads the tag of an image with that name, such as docker.io/library/traefik:v3.6; ok is false for another
// image, and for a tag or digest that tells no version. What the tag leaves out is the newest: v3.7 is the last of that line.
func ImageVersion(image, name string) (v Version, ok bool) {
	image, _, _ = strings.Cut(image, "@")
	base := image[strings.LastIndex(image, "/")+1:]
	base, tag, tagged := strings.Cut(base, ":")
	if base != name || !tagged {
		return v, false
	}
	tag, _, _ = strings.Cut(strings.TrimPrefix(tag, "v"), "-")
	v = Version{newest, newest, newest}
	for i, part := range strings.SplitN(tag, ".", len(v)) {
		n, err := strconv.Atoi(part)
		if err != nil {
			return v, false
		}
		v[i] = n
	}
	return v, true
}
