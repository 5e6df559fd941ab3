package spec

import (
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/token"

	"skep.dev/schema"
)

// crowd is the nodes of a spec that are written as another node is, but for their names and addresses. Nothing else of a
// node follows from these, and the cluster reads of a node only what TestAlikeHolds lists: so they need not be evaluated.
type crowd struct {
	fields map[*ast.Field]bool // theirs, in the spec
	copies []likeness
}

// likeness is a node that is a copy of another.
type likeness struct {
	name, model     string
	address, public netip.Addr
}

// alike finds the nodes of a spec that are copies of others. A spec that is more than data has none: a reference or a loop
// may make something of each node.
func alike(files []*ast.File) crowd {
	s := survey{mentioned: map[string]bool{}, count: map[string]int{}}
	for _, f := range files {
		s.fields(nil, f.Decls)
	}
	c := crowd{fields: map[*ast.Field]bool{}}
	if s.odd {
		return c
	}
	models := map[string]string{}
	for _, n := range s.nodes {
		if s.mentioned[n.name] || s.count[n.name] > 1 || !crowdName.MatchString(n.name) {
			continue
		}
		one, kind, ok := n.read()
		if !ok {
			continue
		}
		if one.model = models[kind]; one.model == "" {
			models[kind] = n.name
			continue
		}
		c.fields[n.field] = true
		c.copies = append(c.copies, one)
	}
	return c
}

// crowdName is some of the names that the schema allows: the words that it keeps for itself end in no digit.
var crowdName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,38}[0-9]$`)

// survey goes through what is written.
type survey struct {
	odd       bool            // there is more than data
	mentioned map[string]bool // every text and name outside of the nodes
	nodes     []writtenNode
	count     map[string]int // of the mentions of each node
}

type writtenNode struct {
	name  string
	field *ast.Field
}

func (s *survey) fields(path []string, decls []ast.Decl) {
	for _, d := range decls {
		switch d := d.(type) {
		case *ast.Package, *ast.ImportDecl, *ast.CommentGroup:
		case *ast.Field:
			name, isName, err := ast.LabelName(d.Label)
			if err != nil || !isName && !isText(d.Label) || d.Constraint != 0 || len(d.Attrs) > 0 {
				s.odd = true
				return
			}
			if len(path) == 0 && name == "cluster" {
				s.value(nil, d.Value)
				continue
			}
			if len(path) == 1 && path[0] == "nodes" {
				s.nodes = append(s.nodes, writtenNode{name, d})
				s.count[name]++
			} else {
				s.mentioned[name] = true
			}
			s.value(append(slices.Clip(path), name), d.Value)
		default:
			s.odd = true
		}
	}
}

func (s *survey) value(path []string, e ast.Expr) {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind == token.STRING {
			text, err := literal.Unquote(e.Value)
			s.odd = s.odd || err != nil
			s.mentioned[text] = true
		}
	case *ast.UnaryExpr:
		s.value(path, e.X)
	case *ast.ListLit:
		for _, element := range e.Elts {
			s.value(path, element)
		}
	case *ast.StructLit:
		s.fields(path, e.Elts)
	default:
		s.odd = s.odd || len(path) > 0 || !conjoinsSchema(e)
	}
}

// read gives a node's name and addresses, and what else is written of it. It is not ok where that is more than the role of
// a worker, labels and a platform.
func (n writtenNode) read() (one likeness, kind string, ok bool) {
	one.name = n.name
	lit, ok := n.field.Value.(*ast.StructLit)
	if !ok {
		return one, "", false
	}
	var words []string
	for _, d := range lit.Elts {
		f, ok := d.(*ast.Field)
		if !ok {
			return one, "", false
		}
		name, _, _ := ast.LabelName(f.Label)
		switch name {
		case "address":
			one.address, ok = addressOf(f.Value)
			words = append(words, name, family(one.address))
		case "public":
			one.public, ok = addressOf(f.Value)
			words = append(words, name, family(one.public))
		case "role":
			ok = textOf(f.Value) == "worker"
		case "labels", "platform":
			words, ok = texts(words, name, f.Value)
		default:
			ok = false
		}
		if !ok {
			return one, "", false
		}
	}
	return one, strings.Join(words, "\n"), one.address.IsValid()
}

// texts adds a field of a node that holds texts by name to what is written of it.
func texts(words []string, of string, e ast.Expr) ([]string, bool) {
	lit, ok := e.(*ast.StructLit)
	if !ok {
		return nil, false
	}
	for _, d := range lit.Elts {
		f, ok := d.(*ast.Field)
		if !ok || textOf(f.Value) == "" {
			return nil, false
		}
		name, _, _ := ast.LabelName(f.Label)
		words = append(words, of, strconv.Quote(name), textOf(f.Value))
	}
	return words, true
}

// addressOf reads an address that the schema takes for one as well: it knows no zones and no IPv4 in IPv6.
func addressOf(e ast.Expr) (netip.Addr, bool) {
	text := textOf(e)
	a, err := netip.ParseAddr(text)
	return a, err == nil && a.Zone() == "" && !a.Is4In6() && !strings.HasPrefix(text, "::")
}

func family(a netip.Addr) string {
	if a.Is4() {
		return "4"
	}
	return "6"
}

func isText(e ast.Node) bool {
	lit, ok := e.(*ast.BasicLit)
	return ok && lit.Kind == token.STRING
}

// textOf is the text of a literal without escapes, or "".
func textOf(e ast.Expr) string {
	lit, ok := e.(*ast.BasicLit)
	if !ok || !simpleText.MatchString(lit.Value) {
		return ""
	}
	return lit.Value[1 : len(lit.Value)-1]
}

var simpleText = regexp.MustCompile(`^"[^"\\]+"$`)

// without gives a spec less its crowd.
func (c crowd) without(f *ast.File) *ast.File {
	if len(c.fields) == 0 {
		return f
	}
	g := *f
	g.Decls = c.strip(f.Decls)
	return &g
}

func (c crowd) strip(decls []ast.Decl) []ast.Decl {
	var left []ast.Decl
	for _, d := range decls {
		field, ok := d.(*ast.Field)
		if ok && c.fields[field] {
			continue
		}
		if ok {
			name, _, _ := ast.LabelName(field.Label)
			if lit, isStruct := field.Value.(*ast.StructLit); isStruct && (name == "cluster" || name == "nodes") {
				f, l := *field, *lit
				l.Elts = c.strip(lit.Elts)
				f.Value, d = &l, &f
			}
		}
		left = append(left, d)
	}
	return left
}

// join adds the crowd to a cluster that was evaluated without. It is not ok where a node's name would have shown elsewhere:
// in the rows for ssh, where not all nodes have it on one port.
func (c crowd) join(cluster *schema.Cluster) (ok bool) {
	if len(c.copies) == 0 {
		return true
	}
	for _, n := range cluster.Nodes {
		if n.SSH.Port != cluster.Nodes[0].SSH.Port {
			return false
		}
	}
	models := map[string]schema.Node{}
	for _, n := range cluster.Nodes {
		models[n.Name] = n
	}
	cluster.Nodes = slices.Grow(cluster.Nodes, len(c.copies))
	for _, one := range c.copies {
		n := models[one.model]
		n.Name, n.Address, n.Public = one.name, one.address, one.public
		cluster.Nodes = append(cluster.Nodes, n)
	}
	slices.SortFunc(cluster.Nodes, func(a, b schema.Node) int { return strings.Compare(a.Name, b.Name) })
	return true
}
