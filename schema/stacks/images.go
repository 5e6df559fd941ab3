package stacks

import (
	"maps"
	"slices"
	"strings"

	"github.com/distribution/reference"

	"skep.dev/schema"
	"skep.dev/schema/finding"
)

// images adds a row for each image, and names those whose tag says nothing, once for the stack.
func (s *stack) images() {
	s.digests()
	var loose []string
	var first []string
	for _, service := range s.services() {
		image := service.Image
		if image == "" {
			continue
		}
		if _, err := reference.ParseNormalizedNamed(image); err != nil {
			s.at(finding.ImageName, service.path("image"), image, "is not the name of an image, such as nginx:1.29.3 or registry.example.org/shop/web:7")
			continue
		}
		if !isPinned(image) {
			if first == nil {
				first = service.path("image")
			}
			loose = append(loose, image)
		}
		s.Rows.Images = append(s.Rows.Images, schema.Image{Field: s.Field("compose") + " services." + service.name + ".image", Image: image, Nodes: s.needs(service)})
	}
	if loose != nil {
		s.at(finding.ImageTag, first, finding.Several(loose), "a tag is missing, or is latest: what runs depends on the day of the pull; write a version")
	}
}

// digests puts those of the spec behind the images.
func (s *stack) digests() {
	used := map[string]bool{}
	for name, service := range s.project.Services {
		if digest, ok := s.Images[service.Image]; ok {
			used[service.Image] = true
			service.Image += "@" + digest
			s.project.Services[name] = service
		}
	}
	for _, image := range slices.Sorted(maps.Keys(s.Images)) {
		if !used[image] {
			s.field(finding.UnusedName, s.Field("images", image), "no service of the stack has this image")
		}
	}
}

// isPinned reports whether an image has a tag that means something, or a digest.
func isPinned(image string) bool {
	if strings.Contains(image, "@sha256:") {
		return true
	}
	_, tag, ok := strings.Cut(image[strings.LastIndex(image, "/")+1:], ":")
	return ok && tag != "latest" && tag != ""
}

// needs is the group of nodes whose tasks need the service's image, as the rows have groups.
func (s *stack) needs(service service) string {
	groups := s.groups(s.admitted(service))
	if len(groups) == 1 && (groups[0] == "managers" || groups[0] == "workers") {
		return groups[0]
	}
	return "all"
}
