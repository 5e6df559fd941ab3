package schema

import (
	"slices"
	"strings"
)

// LockFile is the name of the lock beside a spec.
const LockFile = "images.lock"

// Lock is what images.lock holds: which image each name of the spec stands for. It is nil without one.
type Lock map[string]Locked

// Locked is an image as a registry gave it: Index is the digest of what its name leads to, for all platforms.
type Locked struct {
	Index     string
	Platforms map[string]LockedPlatform // by name, such as linux/amd64
}

// LockedPlatform is the image of one platform. An engine knows it by one of the two digests, as it keeps its images; Size
// is what is fetched for it, in bytes.
type LockedPlatform struct {
	Manifest, Config string
	Size             int64
}

// Rows has a row for each image and platform: image, platform, and the digests of manifest and configuration, sorted.
func (l Lock) Rows() []string {
	var rows []string
	for image, locked := range l {
		for platform, p := range locked.Platforms {
			rows = append(rows, strings.Join([]string{image, platform, p.Manifest, p.Config}, " "))
		}
	}
	slices.Sort(rows)
	return rows
}

// LockName is the name that an image has in a lock: without its digest, where it has a tag.
func LockName(image string) string {
	name, _, _ := strings.Cut(image, "@")
	if strings.Contains(name[strings.LastIndex(name, "/")+1:], ":") {
		return name
	}
	return image
}

// Images is how the nodes get theirs.
type Images struct {
	Delivery string `json:"delivery"` // "pull" or "load"
}

// Loads reports whether archives bring them, so that no node asks a registry.
func (i Images) Loads() bool { return i.Delivery == "load" }

// Pinned is an image with its digest, where the spec or its lock has one: what is fetched.
func (c *Cluster) Pinned(image string) string {
	locked, ok := c.Lock[LockName(image)]
	if !ok || strings.Contains(image, "@") {
		return image
	}
	return image + "@" + locked.Index
}

// Reference is an image as the cluster runs it: pinned, or what an archive brings, which has no digest where an engine keeps
// its images as it always did, and is known by its tag alone.
func (c *Cluster) Reference(image string) string {
	if c.Images.Loads() {
		return LockName(image)
	}
	return c.Pinned(image)
}

// Platform is what a machine is.
type Platform struct {
	Architecture string `json:"architecture"` // "amd64" or "arm64"
	Release      string `json:"release"`      // of Debian: "bookworm" or "trixie"
}

// Folder is where the packages of such machines lie, such as bookworm_amd64.
func (p Platform) Folder() string { return p.Release + "_" + p.Architecture }

// String is the platform as registries name it, such as linux/amd64.
func (p Platform) String() string { return "linux/" + p.Architecture }

// Architectures are those that a node may have.
func Architectures() []string { return []string{"amd64", "arm64"} }

// PlatformsOf returns for each group of nodes that needs images their platforms, and the first node of each. A group is a duty,
// "managers", "workers" or "all".
func (c *Cluster) PlatformsOf() map[string]map[string]string {
	of := map[string]map[string]string{}
	add := func(group string, n Node) {
		if of[group] == nil {
			of[group] = map[string]string{}
		}
		if of[group][n.Platform.String()] == "" {
			of[group][n.Platform.String()] = n.Name
		}
	}
	for _, n := range c.Nodes {
		add("all", n)
		add(n.Role+"s", n)
	}
	for _, d := range c.Rows.Duties {
		for _, name := range d.Nodes {
			add(d.Name, c.Node(name))
		}
	}
	return of
}
