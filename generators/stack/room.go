package stack

import (
	"fmt"
	"path"
	"strings"
)

// room is a query for the percentage that is free where a node keeps a directory: on a file system of its own, or else on
// the deepest file system that has the directory.
func room(node, directory, filesystem string) string {
	mounts := []string{directory}
	for d := directory; filesystem != "own" && len(d) > 1; {
		d = path.Dir(d)
		mounts = append(mounts, d)
	}
	var terms []string
	for i, m := range mounts {
		at := onDisk(node, m)
		term := fmt.Sprintf("100 * node_filesystem_avail_bytes%s / node_filesystem_size_bytes%[1]s", at)
		if i > 0 {
			term += " unless on (node) node_filesystem_size_bytes" + onDisk(node, strings.Join(mounts[:i], "|"))
		}
		terms = append(terms, term)
	}
	return "(" + strings.Join(terms, "\nor ") + ")"
}

// onDisk selects the file systems of a node's disks.
func onDisk(node, mountpoints string) string {
	return fmt.Sprintf(`{node=%q,fstype!~"tmpfs|overlay|nfs.*",mountpoint=~%q}`, node, mountpoints)
}

// unmounted is a query for those of a node's directories on which no disk is mounted, while somebody looks.
func unmounted(node string, directories []string) string {
	var terms []string
	for _, d := range directories {
		terms = append(terms, fmt.Sprintf(`label_replace(up{job="node-exporter",node=%q} == 1, "mountpoint", %q, "", "")`, node, d))
	}
	return "(" + strings.Join(terms, "\nor ") + ")\nunless on (node, mountpoint) node_filesystem_size_bytes" + onDisk(node, strings.Join(directories, "|"))
}
