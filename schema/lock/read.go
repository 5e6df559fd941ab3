package lock

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/token"
	"cuelang.org/go/encoding/json"

	"skep.dev/schema"
	"skep.dev/schema/finding"
)

// reader reads a lock. Nothing in it is read in two ways: no field stands twice, and none is left out or passed over.
type reader struct {
	file    string
	entries []entry
	found   finding.List
}

// say notes that the lock is not what it should be.
func (r *reader) say(at place, got, text string) {
	r.found = append(r.found, finding.Finding{ID: finding.LockForm, Level: finding.Mistake, File: r.file, Line: at.line, Column: at.column, Path: at.path, Got: got, Text: text})
}

func (r *reader) lock(text []byte) {
	expr, err := json.Extract(r.file, text)
	if err != nil {
		first := errors.Errors(err)[0]
		at := place{line: 1, column: 1}
		for _, p := range errors.Positions(first) {
			at = place{line: p.Line(), column: p.Column()}
			break
		}
		r.say(at, "", "is not JSON")
		return
	}
	before := len(r.found)
	top := r.fields("", expr, "schema", "images")
	if len(r.found) > before {
		return
	}
	if form := r.text("schema", top["schema"], anything, "want "+strconv.Quote(Form)); form != Form {
		r.say(at("schema", top["schema"]), strconv.Quote(form), fmt.Sprintf("want %q, the form that this skep reads", Form))
		return
	}
	list, ok := top["images"].(*ast.ListLit)
	if !ok {
		r.say(at("images", top["images"]), "", "want a list of images")
		return
	}
	seen := map[string]bool{}
	for i, e := range list.Elts {
		r.entry(fmt.Sprintf("images.%d", i), e, seen)
	}
}

func (r *reader) entry(path string, expr ast.Expr, seen map[string]bool) {
	before := len(r.found)
	f := r.fields(path, expr, "image", "index", "platforms")
	if len(r.found) > before {
		return
	}
	e := entry{place: at(path, expr), platforms: map[string]place{}, locked: schema.Locked{Platforms: map[string]schema.LockedPlatform{}}}
	e.image = r.text(path+".image", f["image"], anything, "want an image such as traefik:v3.7.13")
	if seen[e.image] {
		r.say(at(path+".image", f["image"]), strconv.Quote(e.image), "stands twice")
	}
	seen[e.image] = true
	e.locked.Index = r.digest(path+".index", f["index"])
	platforms, ok := f["platforms"].(*ast.StructLit)
	if !ok || len(platforms.Elts) == 0 {
		r.say(at(path+".platforms", f["platforms"]), "", "want at least one platform, such as linux/amd64")
		return
	}
	for _, d := range platforms.Elts {
		field := d.(*ast.Field)
		name := label(field)
		where := under(path+".platforms", name)
		switch _, twice := e.platforms[name]; {
		case !slices.ContainsFunc(schema.Architectures(), func(a string) bool { return schema.Platform{Architecture: a}.String() == name }):
			r.say(at(where, field), "", "want linux/amd64 or linux/arm64")
		case twice:
			r.say(at(where, field), "", "stands twice")
		default:
			e.platforms[name] = at(where, field)
			e.locked.Platforms[name] = r.platform(where, field.Value)
		}
	}
	r.entries = append(r.entries, e)
}

func (r *reader) platform(path string, expr ast.Expr) (p schema.LockedPlatform) {
	before := len(r.found)
	f := r.fields(path, expr, "manifest", "config", "size")
	if len(r.found) > before {
		return p
	}
	p.Manifest = r.digest(path+".manifest", f["manifest"])
	p.Config = r.digest(path+".config", f["config"])
	lit, _ := f["size"].(*ast.BasicLit)
	if lit != nil && lit.Kind == token.INT {
		p.Size, _ = strconv.ParseInt(lit.Value, 10, 64)
	}
	if p.Size <= 0 {
		r.say(at(path+".size", f["size"]), "", "want a number of bytes")
	}
	return p
}

// fields gives the fields of an object that has these and no others.
func (r *reader) fields(path string, expr ast.Expr, names ...string) map[string]ast.Expr {
	lit, ok := expr.(*ast.StructLit)
	if !ok {
		r.say(at(path, expr), "", "want an object with "+strings.Join(names, ", "))
		return nil
	}
	out := map[string]ast.Expr{}
	for _, d := range lit.Elts {
		field := d.(*ast.Field)
		name := label(field)
		switch _, twice := out[name]; {
		case !slices.Contains(names, name):
			r.say(at(under(path, name), field), "", "is not a field of a lock")
		case twice:
			r.say(at(under(path, name), field), "", "stands twice")
		}
		out[name] = field.Value
	}
	if missing := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return out[name] != nil }); len(missing) > 0 {
		r.say(at(path, expr), "", "lacks "+strings.Join(missing, ", "))
	}
	return out
}

var (
	anything = regexp.MustCompile(`.`)
	digest   = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
)

func (r *reader) digest(path string, expr ast.Expr) string {
	return r.text(path, expr, digest, "want sha256: and 64 hexadecimal digits")
}

// text gives a text of that pattern.
func (r *reader) text(path string, expr ast.Expr, pattern *regexp.Regexp, want string) string {
	lit, ok := expr.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		r.say(at(path, expr), "", "want a text")
		return ""
	}
	s, err := literal.Unquote(lit.Value)
	if err != nil || !pattern.MatchString(s) {
		r.say(at(path, expr), strconv.Quote(s), want)
	}
	return s
}

func label(f *ast.Field) string {
	name, _, _ := ast.LabelName(f.Label)
	return name
}

func under(path, name string) string { return strings.TrimPrefix(path+"."+schema.JoinPath(name), ".") }

func at(path string, n ast.Node) place {
	p := n.Pos()
	return place{p.Line(), p.Column(), path}
}
