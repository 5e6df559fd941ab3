package images

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/distribution/reference"

	"skep.dev/schema"
)

// Skopeo is what skopeo sync --src yaml reads: registries, their images, and the tags or digests of each. An image with a
// digest is asked for by it alone, since a tag beside it would be copied as it is today.
func Skopeo(c *schema.Cluster) (string, error) {
	var b strings.Builder
	var names []parts
	for _, i := range Of(c) {
		named, err := i.named()
		if err != nil {
			return "", err
		}
		names = append(names, partsOf(named))
	}
	slices.SortFunc(names, func(a, b parts) int {
		return cmp.Or(cmp.Compare(a.registry, b.registry), cmp.Compare(a.name, b.name), cmp.Compare(a.version, b.version))
	})
	before := parts{}
	for _, p := range slices.Compact(names) { // one may stand there under a shorter name, too
		if p.registry != before.registry {
			fmt.Fprintf(&b, "%q:\n  images:\n", p.registry)
			before.name = ""
		}
		if p.name != before.name {
			fmt.Fprintf(&b, "    %q:\n", p.name)
		}
		fmt.Fprintf(&b, "      - %q\n", p.version)
		before = p
	}
	return b.String(), nil
}

// parts are a reference in full: the registry, the name there, and what is asked for: a digest, or else a tag.
type parts struct{ registry, name, version string }

func partsOf(named reference.Named) parts {
	p := parts{registry: reference.Domain(named), name: reference.Path(named), version: "latest"}
	if tagged, ok := named.(reference.Tagged); ok {
		p.version = tagged.Tag()
	}
	if digested, ok := named.(reference.Digested); ok {
		p.version = digested.Digest().String()
	}
	return p
}

// named reads a reference. The schema has checked it.
func (i Image) named() (reference.Named, error) {
	named, err := reference.ParseNormalizedNamed(i.Reference)
	if err != nil {
		return nil, fmt.Errorf("image %s: %w", i.Reference, err)
	}
	return named, nil
}

// Hauler is what hauler store sync --filename reads.
// https://docs.hauler.dev/docs/hauler-usage/store/add/image
func Hauler(c *schema.Cluster) (string, error) {
	names, err := canonical(c)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "apiVersion: content.hauler.cattle.io/v1\nkind: Images\nmetadata:\n  name: %q\nspec:\n  images:\n", c.Name)
	for _, name := range names {
		fmt.Fprintf(&b, "    - name: %q\n", name)
		if platform := only(c); platform != "" {
			fmt.Fprintf(&b, "      platform: %s\n", platform)
		}
	}
	return b.String(), nil
}

// Zarf is what zarf package create reads: a package of images alone.
// https://docs.zarf.dev/schema/v1alpha1-package/
func Zarf(c *schema.Cluster) (string, error) {
	names, err := canonical(c)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "kind: ZarfPackageConfig\nmetadata:\n  name: %q\n", c.Name)
	if platform := only(c); platform != "" {
		fmt.Fprintf(&b, "  architecture: %s\n", strings.TrimPrefix(platform, "linux/"))
	}
	b.WriteString("components:\n  - name: images\n    required: true\n    images:\n")
	for _, name := range names {
		fmt.Fprintf(&b, "      - %q\n", name)
	}
	return b.String(), nil
}

// canonical are the references with their registry in front, as tools want them that know no Docker Hub: sorted, each once.
func canonical(c *schema.Cluster) ([]string, error) {
	var names []string
	for _, i := range Of(c) {
		named, err := i.named()
		if err != nil {
			return nil, err
		}
		names = append(names, named.String())
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// only is the platform of all nodes, or "" where they have several.
func only(c *schema.Cluster) string {
	all := c.PlatformsOf()["all"]
	for platform := range all {
		if len(all) == 1 {
			return platform
		}
	}
	return ""
}
