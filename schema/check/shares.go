package check

import (
	"strings"

	"skep.dev/schema"
)

// shares refuses directories that lie in each other. On the way to the inner one NFSv4 enters the outer export, and stays in
// it: clients would get that one's mode and users.
func (k *checker) shares() {
	n := k.Services.NFS
	if n == nil {
		return
	}
	type taken struct{ field, path string }
	all := []taken{{"services.nfs.path", n.Path}}
	for _, s := range n.Shares {
		field := schema.JoinPath("services", "nfs", "shares", s.Name, "path")
		for _, other := range all {
			if how := lies(s.Path, other.path); how != "" {
				k.wrong(field, "%s %s %s (%s), and NFSv4 serves the inner one as the outer; choose a directory beside it such as /nfs-shares/%s", s.Path, how, other.path, other.field, s.Name)
				break
			}
		}
		all = append(all, taken{field, s.Path})
	}
}

// lies is how one directory lies to another, or "" for beside it.
func lies(dir, other string) string {
	switch {
	case dir == other:
		return "is the same as"
	case strings.HasPrefix(dir, other+"/"):
		return "lies in"
	case strings.HasPrefix(other, dir+"/"):
		return "holds"
	}
	return ""
}
