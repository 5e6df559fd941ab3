package compose

import (
	"fmt"

	"go.yaml.in/yaml/v4"

	"skep.dev/schema/finding"
)

// literals finds texts that YAML takes for something else: a service would see UMASK: 022 as 18, and VERSION: 1.10 as 1.1.
func (r *reader) literals(service *node, path string) {
	for _, texts := range []struct {
		of   *node
		path string
	}{
		{service.get("environment"), path + ".environment"},
		{service.get("labels"), path + ".labels"},
		{service.get("deploy").get("labels"), path + ".deploy.labels"},
	} {
		for _, e := range texts.of.all() {
			if e.value.kind != scalar || !e.value.bare {
				continue
			}
			var value any
			if err := yaml.Unmarshal([]byte(e.value.text), &value); err != nil || value == nil {
				continue
			}
			if got := fmt.Sprint(value); got != e.value.text {
				r.say(finding.AmbiguousYAML, e.value.at, texts.path+"."+e.key, e.value.text, fmt.Sprintf("YAML takes it for %s: write it in quotes", got))
			}
		}
	}
}
