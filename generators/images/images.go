// Package images is about the images that a cluster runs: their list in a bundle, and as other tools read it.
package images

import (
	"embed"
	"maps"
	"slices"
	"strings"

	"skep.dev/generators/artifact"
	"skep.dev/schema"
)

// List is the list of a bundle's images.
const List = "images.txt"

// Image is an image that the cluster runs.
type Image struct {
	Reference string   `json:"reference"` // as it is fetched: with a digest where the spec or its lock has one
	Name      string   `json:"name"`      // as the cluster runs it: without the digest where archives bring it
	Platforms []string `json:"platforms"` // of the nodes that need it, such as linux/amd64
	Fields    []string `json:"fields"`    // of the spec that name it
}

// Of returns the images of a cluster, sorted by reference.
func Of(c *schema.Cluster) []Image {
	platforms := c.PlatformsOf()
	var out []Image
	for _, row := range c.Rows.Images {
		ref := c.Pinned(row.Image)
		i := slices.IndexFunc(out, func(i Image) bool { return i.Reference == ref })
		if i < 0 {
			i = len(out)
			out = append(out, Image{Reference: ref, Name: c.Reference(row.Image)})
		}
		out[i].Fields = append(out[i].Fields, row.Field)
		for platform := range platforms[row.Nodes] {
			out[i].Platforms = append(out[i].Platforms, platform)
		}
	}
	for i := range out {
		slices.Sort(out[i].Fields)
		slices.Sort(out[i].Platforms)
		out[i].Platforms = slices.Compact(out[i].Platforms)
	}
	slices.SortFunc(out, func(a, b Image) int { return strings.Compare(a.Reference, b.Reference) })
	return out
}

// Scripts that run where registries are within reach.
const (
	Script = "images/lock.sh"  // writes the lock beside a spec
	Fetch  = "images/fetch.sh" // fetches archives
)

//go:embed *.sh
var embedded embed.FS

var assets = artifact.Source{Directory: "generators/images", Files: embedded}

// Files returns the list of the images, and the scripts.
func Files(c *schema.Cluster) ([]artifact.File, error) {
	platforms := slices.Sorted(maps.Keys(c.PlatformsOf()["all"]))
	header := []artifact.Var{artifact.Strings("spec_platforms", platforms).From("nodes.*.platform")}
	return artifact.Of([]artifact.File{
		list(c),
		artifact.Script(Script, header, assets.Bodies("registry.sh", "lock.sh")...),
		artifact.Script(Fetch, append(header, artifact.Strings("locked", c.Lock.Rows()).From("images: of images.lock: image, platform, manifest, configuration")), assets.Bodies("registry.sh", "fetch.sh")...),
	}, "images", "nodes.*.platform"), nil
}

// list is a line for each image, which the fields that name it decide.
func list(c *schema.Cluster) artifact.File {
	f := artifact.File{Path: List, Mode: 0o644, Data: []byte(Plain(c))}
	for i, image := range Of(c) {
		for _, field := range image.Fields {
			field, _, _ = strings.Cut(field, " ") // the rest is a place in a file of the user's
			f.Origins = append(f.Origins, artifact.Origin{First: i + 1, Last: i + 1, Field: field})
		}
	}
	return f
}

// Plain has one image a line.
func Plain(c *schema.Cluster) string {
	var b strings.Builder
	for _, i := range Of(c) {
		b.WriteString(i.Reference + "\n")
	}
	return b.String()
}
