package review

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"skep.dev/generators/firewall"
	"skep.dev/schema"
)

// The parts of the README that are the same for every cluster are Markdown files, one for each section, and one for each
// service in services. A line `[at N]` of the former, and `[SECTION N]` of the latter, begins a block: the blocks of a section
// stand in the order of their numbers. What stands between `[if WORD]` and `[end]` stays only where the word holds, or with
// `[unless WORD...]` where none does.
//
//go:embed *.md services/*.md
var texts embed.FS

// block is a part of a section.
type block struct {
	section string
	number  int
	text    string
}

// sections returns the text of each section, by its name.
func sections(c *schema.Cluster) (map[string]string, error) {
	has := map[string]bool{c.Kind: true, c.Firewall.Backend: true, "autolock": c.Engine.Autolock, "held": c.Engine.Source == "debian",
		"known": c.KnowsHosts(), "nuvla": c.ServesNuvla(), "loads": c.Images.Loads()}
	has[c.Agent()] = true
	for _, t := range c.Rows.Texts {
		has[t.Name] = true
		for _, word := range t.Has {
			has[word] = true
		}
	}
	backend := firewall.BackendOf(c)
	words := map[string]string{
		"RULES_ENDING": path.Ext(backend.Endings()[0]), "RULES_INSTALLED": strings.Join(backend.Installed(), "`, `"),
		"DOMAIN": c.Domain, "API_HOST": apiHost(c), "API_PORT": fmt.Sprint(c.Engine.Ports.API),
		"CERTIFICATE_DAYS": fmt.Sprint(c.Certificates.Days), "CERTIFICATE_WARN": fmt.Sprint(c.Certificates.Warn),
	}
	maps.Copy(words, gitOps(c))
	var all []block
	var errs []error
	read := func(file, section string, words map[string]string) {
		b, err := texts.ReadFile(file)
		errs = append(errs, err)
		all = append(all, blocks(section, replacer(words).Replace(choose(string(b), has)))...)
	}
	general, err := fs.Glob(texts, "*.md")
	errs = append(errs, err)
	for _, file := range general {
		read(file, strings.TrimSuffix(file, ".md"), words)
	}
	for _, t := range c.Rows.Texts {
		own := maps.Clone(words)
		maps.Copy(own, t.Words)
		read("services/"+t.Name+".md", "", own)
	}
	slices.SortStableFunc(all, func(a, b block) int { return cmp.Compare(a.number, b.number) })
	out := map[string]string{}
	for _, b := range all {
		out[b.section] += b.text
	}
	return out, errors.Join(errs...)
}

// gitOps are the words for the agent that deploys the stacks.
func gitOps(c *schema.Cluster) map[string]string {
	if c.GitOps == nil {
		return nil
	}
	return map[string]string{
		"AGENT_NAME": map[string]string{"doco-cd": "doco-cd", "komodo": "Komodo"}[c.GitOps.Agent], "AGENT_STACKS": codes(c.Rows.Deploys.Names()), "AGENT_BRANCH": c.GitOps.Branch,
		"AGENT_REPOSITORY": c.GitOps.Repository, "AGENT_DIRECTORY": c.GitOps.Directory, "AGENT_CLUSTER": c.Name,
	}
}

func replacer(words map[string]string) *strings.Replacer {
	var pairs []string
	for _, word := range slices.Sorted(maps.Keys(words)) {
		pairs = append(pairs, word, words[word])
	}
	return strings.NewReplacer(pairs...)
}

// blocks cuts a file into its blocks. A section's own text begins at 0, and its marks name no section.
func blocks(section, text string) []block {
	out := []block{{section: section}}
	for line := range strings.Lines(text) {
		var mark string
		var at int
		if n, _ := fmt.Sscanf(line, "[%s %d]", &mark, &at); n == 2 {
			if mark == "at" {
				mark = section
			}
			out = append(out, block{section: mark, number: at})
			continue
		}
		out[len(out)-1].text += line
	}
	return out
}

// apiHost is the name under which Nuvla reaches a manager: the domain, unless that leads to workers that run Traefik.
func apiHost(c *schema.Cluster) string {
	t := c.Services.Traefik
	if t == nil || !slices.ContainsFunc(t.Nodes, func(name string) bool { return c.Node(name).Role != "manager" }) {
		return c.Domain
	}
	m := c.Managers()[0]
	address := m.Address
	if m.Public.IsValid() {
		address = m.Public
	}
	if address.Is6() {
		return "[" + address.String() + "]"
	}
	return address.String()
}

// choose drops the parts of a text that do not apply.
func choose(text string, has map[string]bool) string {
	var b strings.Builder
	keep := true
	for line := range strings.Lines(text) {
		mark, words, _ := strings.Cut(strings.TrimSuffix(strings.TrimSpace(line), "]"), " ")
		holds := slices.ContainsFunc(strings.Fields(words), func(word string) bool { return has[word] })
		switch {
		case mark == "[if":
			keep = holds
		case mark == "[unless":
			keep = !holds
		case mark == "[end":
			keep = true
		case keep:
			b.WriteString(line)
		}
	}
	return b.String()
}
