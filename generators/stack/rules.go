package stack

import (
	"embed"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"skep.dev/generators/stack/document"
	"skep.dev/schema"
	"skep.dev/schema/finding"
)

// The alerts: files that Prometheus reads as they stand. ${FIELD} stands for a field of the spec: in a text for its value,
// or the names in it; as the metric {"${FIELD}"} for its number, how many it holds, or a query of room.go; and in the comment of a value for
// the whole value. The rows of the services choose the files, and the alerts that are not for every cluster.
//
//go:embed *.rules.yaml
var ruleFiles embed.FS

// ruleFile is what skep reads of a file of rules.
type ruleFile struct {
	Groups []ruleGroup `yaml:"groups"`
}

type ruleGroup struct {
	Name  string      `yaml:"name"`
	Rules []yaml.Node `yaml:"rules"`
}

// alertRules is the file of all groups.
func alertRules(c *schema.Cluster) ([]byte, error) {
	groups, err := alertGroups(c)
	if err != nil {
		return nil, err
	}
	return document.Marshal(ruleFile{groups}, nil)
}

// Alert is what somebody reads who is told of one. Texts have the labels of its series as Prometheus writes them:
// {{ $labels.node }}.
type Alert struct {
	Name   string `yaml:"alert"`
	Labels struct {
		Severity string `yaml:"severity"`
	} `yaml:"labels"`
	Annotations struct {
		Summary     string `yaml:"summary"`
		Description string `yaml:"description"`
		Command     string `yaml:"command"`
	} `yaml:"annotations"`
}

// Alerts are those of the cluster, in the order of their file.
func Alerts(c *schema.Cluster) ([]Alert, error) {
	groups, err := alertGroups(c)
	if err != nil {
		return nil, err
	}
	var alerts []Alert
	for _, g := range groups {
		for i := range g.Rules {
			var a Alert
			if err := g.Rules[i].Decode(&a); err != nil {
				return nil, err
			}
			alerts = append(alerts, a)
		}
	}
	return alerts, nil
}

// alertGroups are the groups that the rows of the cluster name, with the values of its spec.
func alertGroups(c *schema.Cluster) ([]ruleGroup, error) {
	var groups []ruleGroup
	for _, row := range c.Rows.Alerts {
		data, err := ruleFiles.ReadFile(row.Name + ".rules.yaml")
		if err != nil {
			return nil, err
		}
		var file ruleFile
		if err := yaml.Unmarshal(data, &file); err != nil {
			return nil, fmt.Errorf("%s.rules.yaml: %w", row.Name, err)
		}
		for _, g := range file.Groups {
			if g.Rules, err = chosen(g.Rules, row); err != nil {
				return nil, err
			}
			for i := range g.Rules {
				if err := fill(c, &g.Rules[i]); err != nil {
					return nil, fmt.Errorf("%s.rules.yaml: %w", row.Name, err)
				}
			}
			groups = append(groups, g)
		}
	}
	return groups, nil
}

// chosen leaves out the alerts that the row does not want.
func chosen(rules []yaml.Node, row schema.Alerting) ([]yaml.Node, error) {
	seen := 0
	rules = slices.DeleteFunc(rules, func(rule yaml.Node) bool {
		wanted, there := row.Only[alertName(&rule)]
		if there {
			seen++
		}
		return there && !wanted
	})
	if seen != len(row.Only) {
		return nil, fmt.Errorf("%s.rules.yaml has %d of the alerts that its row chooses, want %d", row.Name, seen, len(row.Only))
	}
	return rules, nil
}

func alertName(rule *yaml.Node) string {
	for i := 0; i+1 < len(rule.Content); i += 2 {
		if rule.Content[i].Value == "alert" {
			return rule.Content[i+1].Value
		}
	}
	return ""
}

// The places of a field: all of a value in a comment, and in a text a number or words.
var (
	field  = regexp.MustCompile(`\$\{[^{}]+\}`)
	places = regexp.MustCompile(`\{"\$\{([^{}]+)\}"\}|\$\{([^{}]+)\}`)
	// A matcher of PromQL that is open at the end of a text.
	openMatcher = regexp.MustCompile(`(=~|!~|=)\s*"[^"]*$`)
)

// fill puts the spec's values into a rule, and above each key the fields that decide it.
func fill(c *schema.Cluster, rule *yaml.Node) error {
	rule.HeadComment = "" // why the rule is as it is, for those who change it
	for i := 0; i+1 < len(rule.Content); i += 2 {
		key, value := rule.Content[i], rule.Content[i+1]
		if value.Kind == yaml.MappingNode {
			if err := fill(c, value); err != nil {
				return err
			}
			continue
		}
		if whole := field.FindString(value.LineComment); whole != "" {
			value.Value, value.LineComment = whole, ""
		}
		text, fields, err := expand(c, value.Value)
		if err != nil {
			return fmt.Errorf("%s: %w", alertName(rule), err)
		}
		*value = *document.Text(text)
		if len(fields) > 0 {
			key.HeadComment = "# " + strings.Join(fields, ", ")
		}
	}
	return nil
}

// expand returns a text with the values of the spec, and the fields that it names. A value that looks like a place stays as it is.
func expand(c *schema.Cluster, text string) (string, []string, error) {
	e := expansion{cluster: c}
	out, end := "", 0
	for _, m := range places.FindAllStringSubmatchIndex(text, -1) {
		out += text[end:m[0]]
		if m[2] >= 0 {
			out += e.number(text[m[2]:m[3]])
		} else {
			out += escape(out, e.text(text[m[4]:m[5]]))
		}
		end = m[1]
	}
	return out + text[end:], e.fields, errors.Join(e.errs...)
}

// expansion is of one text.
type expansion struct {
	cluster *schema.Cluster
	fields  []string
	errs    []error
}

func (e *expansion) value(name string) schema.Value {
	v, err := e.cluster.Value(name)
	e.errs = append(e.errs, err)
	if !slices.Contains(e.fields, v.Field) {
		e.fields = append(e.fields, v.Field)
	}
	return v
}

func (e *expansion) text(name string) string {
	v := e.value(name)
	if v.Names != nil {
		return finding.Several(v.Names)
	}
	return v.Text
}

func (e *expansion) number(name string) string {
	if words := strings.Fields(name); words[0] == "room" && len(words) == 4 {
		return room(e.text(words[1]), e.text(words[2]), e.text(words[3]))
	}
	if duty, ok := strings.CutPrefix(name, "unmounted "); ok {
		return e.unmounted(duty)
	}
	v := e.value(name)
	if v.Names != nil {
		return strconv.Itoa(len(v.Names))
	}
	_, err := strconv.Atoi(v.Text)
	e.errs = append(e.errs, err)
	return v.Text
}

// unmounted is a query for the directories of a duty that must be file systems of their own, and are not.
func (e *expansion) unmounted(duty string) string {
	var paths []string
	for _, d := range e.cluster.Rows.Directories {
		if d.Duty == duty && d.Filesystem == "own" {
			paths = append(paths, d.Path)
			e.fields = append(e.fields, d.Field)
		}
	}
	row, _ := e.cluster.Rows.Duties.Named(duty)
	return unmounted(row.Nodes[0], paths)
}

// escape makes a value what it has to be behind the text: within a matcher of PromQL it stands for itself.
func escape(before, value string) string {
	open := openMatcher.FindStringSubmatch(before)
	if open == nil {
		return value
	}
	if open[1] != "=" {
		value = regexp.QuoteMeta(value)
	}
	value = strconv.Quote(value)
	return value[1 : len(value)-1]
}
