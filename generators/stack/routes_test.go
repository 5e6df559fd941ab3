package stack

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"skep.dev/schema"
)

// inRule is the host or the path that a router answers at.
var inRule = regexp.MustCompile("^\\(.*\\) && \\(Path\\(`([^`]*)`|^Host\\(`([^`]*)`\\)$")

// routed are the places at which skep's own routers answer: a port, a path below the domain, or a name of its own.
func routed(t *testing.T, c *schema.Cluster) (places []string) {
	t.Helper()
	var d dynamicConfig
	data, err := traefikDynamic(c)
	if err == nil {
		err = yaml.Unmarshal(data, &d)
	}
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range d.HTTP.Routers {
		for _, at := range r.EntryPoints {
			i := slices.IndexFunc(entryPoints(c), func(e entryPoint) bool { return e.name == at })
			if i < 0 {
				t.Errorf("the router %s is of the entry point %s, which there is not", name, at)
				continue
			}
			match := inRule.FindStringSubmatch(r.Rule)
			switch {
			case at != "websecure":
				places = append(places, address(entryPoints(c)[i].port))
			case match != nil:
				places = append(places, match[1]+match[2])
			}
		}
	}
	slices.Sort(places)
	return slices.Compact(places)
}

// Each router is of a page that the README shows, each page has a router, and the runbook asks each page and each port that
// Traefik publishes.
func TestRoutesHaveTheirRows(t *testing.T) {
	examples(t, func(t *testing.T, c *schema.Cluster) {
		if _, ok := c.Rows.Deploys.Named("traefik"); !ok {
			return // no routes without Traefik
		}
		routes, pages := routed(t, c), []string{}
		for _, p := range c.Rows.Pages {
			u, err := url.Parse(p.URL)
			if err != nil || u.Host == "" { // no page, but a directory
				continue
			}
			place := strings.TrimSuffix(u.Path, "/")
			if u.Port() != "" {
				place = ":" + u.Port()
			}
			pages = append(pages, place)
			if p.Host != "" {
				pages = append(pages, p.Host)
			}
			if !slices.Contains(routes, place) {
				t.Errorf("no router leads to the page %s", p.Name)
			}
			if !asks(c, p.URL) {
				t.Errorf("nobody asks the page %s", p.Name)
			}
		}
		for _, place := range routes {
			if !slices.Contains(pages, place) {
				t.Errorf("a router answers at %s, and no page is there", place)
			}
		}
		for _, name := range []string{"http://" + c.Domain + "/", "https://" + c.Domain + "/"} {
			if c.Rows.Answers[name] == "" {
				t.Errorf("nobody asks %s", name)
			}
		}
	})
}

// asks reports whether the runbook asks a page, or something below it.
func asks(c *schema.Cluster, page string) bool {
	for name := range c.Rows.Answers {
		if strings.HasPrefix(name, page) {
			return true
		}
	}
	return false
}
