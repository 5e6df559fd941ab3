package mistakes

import (
	"fmt"
	"slices"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/token"

	"skep.dev/schema"
	"skep.dev/schema/finding"
	"skep.dev/schema/written"
)

// synonyms are what others call a field, by what they call it.
var synonyms = map[string]string{
	"ip": "address", "host": "address", "hostname": "address", "addr": "address",
	"prometheus": "monitoring", "grafana": "monitoring", "alertmanager": "monitoring",
	"minio": "s3", "versitygw": "s3", "wireguard": "vpn", "openvpn": "vpn", "letsencrypt": "acme", "letsEncrypt": "acme",
	"customers": "users", "admin": "management", "admins": "management", "fqdn": "domain", "image": "images",
}

func synonym(name string, names []string) string {
	if s := synonyms[name]; slices.Contains(names, s) {
		return s
	}
	return ""
}

// guess gives the only required field that is missing beside the only unknown one.
func (w *explainer) guess(path []string, s *written.Field) string {
	t, depth := w.spec.Root().Find(path[:len(path)-1])
	if depth < len(path)-1 {
		return ""
	}
	var missing []string
	for _, name := range s.Names {
		if s.Fields[name].Required() && t.Fields[name] == nil {
			missing = append(missing, name)
		}
	}
	unknown := slices.DeleteFunc(slices.Clone(t.Names), func(name string) bool { return written.IsHidden(name) || s.Fields[name] != nil })
	if len(missing) == 1 && len(unknown) == 1 {
		return missing[0]
	}
	return ""
}

// otherwise finds a spec that is one of another program's, or whose cluster has another name, and says that alone.
func (w *explainer) otherwise(root *written.Field) bool {
	names := slices.DeleteFunc(slices.Clone(root.Names), written.IsHidden)
	s := w.schema().Root
	if len(names) == 0 || root.Open || slices.ContainsFunc(s.Names, func(name string) bool {
		return s.Fields[name].Required() && name != "name" && name != "kind" && root.Fields[name] != nil
	}) {
		return false
	}
	text := ""
	first := root.Fields[names[0]]
	switch services := root.Fields["services"]; {
	case root.Fields["apiVersion"] != nil && root.Fields["kind"] != nil:
		text = "looks like a manifest of Kubernetes; want the fields of a cluster: " + strings.Join(w.schema().Visible(s), ", ")
	case services != nil && slices.ContainsFunc(services.Names, func(name string) bool {
		return services.Fields[name].Fields["image"] != nil || services.Fields[name].Fields["build"] != nil
	}):
		text = "looks like a Compose file; a spec names it, in stacks: NAME: compose: [\"FILE\"], and skep init writes one"
	case len(names) == 1 && s.Fields[names[0]] == nil && (len(first.Names) > 1 || first.Open):
		text = fmt.Sprintf("is not a field of a cluster; the field that holds one is called cluster, whatever its name is (name: %q)", names[0])
	default:
		return false
	}
	at := first.Mentions[0].Label.Position()
	path := names[:1]
	if len(names) > 1 {
		path = nil
	}
	w.say(path, at, finding.Finding{ID: finding.UnknownField, Text: text})
	return true
}

// misplaced finds fields, a list or nothing where something of another shape belongs, before each part of it is looked at.
func (w *explainer) misplaced(path []string, t, s *written.Field) bool {
	last := t.Mentions[len(t.Mentions)-1]
	isValue := len(s.Shown()) == 0 && s.Each == nil && !s.IsList()
	m := finding.Finding{ID: finding.WrongType, Got: t.Got(), Text: w.want(path, s)}
	at := last.Expr.Pos().Position()
	switch e := last.Expr.(type) {
	case *ast.ListLit:
		if s.IsList() || isValue {
			return false
		}
	case *ast.StructLit:
		if !isValue || e.Lbrace.IsValid() || len(e.Elts) == 0 || e.Elts[0].Pos().Line() == last.Label.Line() {
			return false
		}
		m.Got, m.Text, at = "", "has no value; "+m.Text, last.Label.Position()
	default:
		return false
	}
	w.say(path, at, m)
	w.gone = append(w.gone, schema.JoinPath(path...))
	return true
}

// referred finds a reference to fields where a value belongs, by what CUE says about one of these fields.
func (w *explainer) referred(path []string) {
	t, depth := w.spec.Root().Find(path)
	if depth == 0 || depth == len(path) || w.byPath[schema.JoinPath(path[:depth]...)] {
		return
	}
	s, fits := w.schema().Root.Find(path[:depth])
	last := t.Mentions[len(t.Mentions)-1].Expr
	if _, ok := last.(*ast.SelectorExpr); !ok || fits < depth || len(s.Shown()) > 0 || s.Each != nil {
		return
	}
	got := written.SourceText(last)
	w.say(path[:depth], last.Pos().Position(), finding.Finding{ID: finding.WrongType, Got: got, Text: w.schema().Want(s) + fmt.Sprintf(" (in quotes: %q)", got[strings.LastIndex(got, ".")+1:])})
	w.gone = append(w.gone, schema.JoinPath(path[:depth]...))
}

// want says what belongs at a field, with an example where that is fields.
func (w *explainer) want(path []string, s *written.Field) string {
	want := w.schema().Want(s)
	if strings.HasPrefix(want, "want fields") {
		want += fmt.Sprintf(" (such as %s: %s)", path[len(path)-1], w.schema().Example(s, 0))
	}
	return want
}

// notation finds a value that is written as another language would.
func (w *explainer) notation(c complaint, t *written.Field) bool {
	if len(t.Mentions) == 0 {
		return false
	}
	m := finding.Finding{ID: finding.WrongType}
	switch e := t.Mentions[len(t.Mentions)-1].Expr.(type) {
	case *ast.BasicLit:
		if e.Kind != token.STRING || !strings.HasPrefix(e.Value, "'") {
			return false
		}
		m.Got, m.Text = e.Value, `want double quotes: "`+strings.Trim(e.Value, "'")+`"`
	case *ast.UnaryExpr:
		inner, ok := e.X.(*ast.BasicLit)
		if !ok || e.Op != token.SUB || inner.Kind != token.STRING {
			return false
		}
		m.Got, m.Text = written.SourceText(e), "want a list in brackets: ["+inner.Value+"]"
	default:
		return false
	}
	w.say(c.path, w.position(c), m)
	return true
}
