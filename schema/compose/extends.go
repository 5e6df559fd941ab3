package compose

import (
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"skep.dev/schema/finding"
)

// extends brings the services of other files that a file's services extend into the file itself, under names of their own:
// compose-go then merges what stands in one text, and opens no file.
func (r *reader) extends(f *file) {
	for _, e := range f.root.get("services").all() {
		if e.value.kind == mapping {
			r.extend(f, e.value, "services."+e.key, f.name)
		}
	}
	if r.mistaken() {
		return
	}
	for _, e := range f.root.get("services").all() {
		if r.chain(f, e); r.mistaken() {
			return // the others lead into the same circle
		}
	}
}

// extend looks up the service that a service of the file from extends.
func (r *reader) extend(f *file, service *node, at, from string) {
	e := service.entry("extends")
	if e == nil {
		return
	}
	r.expand(e.value, []string{at, "extends"})
	ref, name := e.value, (*node)(nil)
	if ref.kind == mapping {
		name, ref = ref.get("file"), ref.get("service")
	}
	if ref == nil || ref.kind != scalar || ref.text == "" || name != nil && name.kind != scalar {
		r.say(finding.ComposeRule, e.at, at+".extends", "", "want service: NAME, and file: PATH if it stands in another file")
		return
	}
	target := from
	if name != nil {
		full, ok := r.inside(path.Dir(from), name.text, origin{name.at, at + ".extends.file"})
		if !ok {
			return
		}
		target = full
	}
	extended := ref.text
	switch {
	case target != f.name:
		extended = r.base(f, target, ref, origin{e.at, at + ".extends"})
	case f.root.get("services").get(extended) == nil:
		r.say(finding.UndefinedName, ref.at, at+".extends", quoted(extended), "is not a service of "+r.known(f.name))
	}
	e.value = &node{kind: scalar, text: extended, at: ref.at}
}

// base brings in one service of another file, and what it extends itself. It gives its name in the file.
func (r *reader) base(f *file, name string, ref *node, by origin) string {
	for _, b := range f.bases {
		if b.file == name && b.service == ref.text {
			return b.key
		}
	}
	root := r.file(name, by)
	if root == nil {
		return ""
	}
	found := root.get("services").entry(ref.text)
	if found == nil || found.value.kind != mapping {
		r.say(finding.UndefinedName, ref.at, by.path, quoted(ref.text), "is not a service of "+r.known(name))
		return ""
	}
	b := base{*found, name, ref.text}
	b.value = found.value.copy()
	b.key = fmt.Sprintf("skep-base-%d-%d", f.number, len(f.bases))
	dropExtensions(b.value)
	r.expand(b.value, []string{"services", ref.text})
	r.labelFile(b.value, "services."+ref.text)
	r.literals(b.value, "services."+ref.text)
	rebase(b.value, path.Dir(name), f.dir)
	f.bases = append(f.bases, b)
	r.extend(f, b.value, "services."+ref.text, name)
	return b.key
}

// rebase writes the relative paths of a service, which begin in the directory of its file, as seen from another.
func rebase(service *node, from, to string) {
	move := func(n *node) {
		if n == nil || n.kind != scalar || n.text == "" || path.IsAbs(n.text) || strings.HasPrefix(n.text, "~") {
			return
		}
		if rel, err := filepath.Rel(to, path.Join(from, n.text)); err == nil {
			n.text = rel
			if !strings.HasPrefix(rel, ".") {
				n.text = "./" + rel
			}
		}
	}
	files := service.get("env_file")
	if files != nil && files.kind == list {
		for _, item := range files.items {
			move(item)
			move(item.get("path"))
		}
	} else {
		move(files)
	}
	if volumes := service.get("volumes"); volumes != nil {
		for _, v := range volumes.items {
			if kind := v.get("type"); kind != nil && kind.text == "bind" {
				move(v.get("source"))
			}
			if source, rest, ok := strings.Cut(v.text, ":"); ok && strings.HasPrefix(source, ".") {
				moved := &node{kind: scalar, text: source}
				move(moved)
				v.text = moved.text + ":" + rest
			}
		}
	}
}

// chain refuses services that extend each other in a circle, over too many steps, or with too much in them.
func (r *reader) chain(f *file, e entry) {
	seen := []*node{}
	for service := e.value; service != nil; {
		if len(seen) > 0 { // what stands in the file itself was counted when it was read
			if r.nodes -= service.size(); r.nodes < 0 {
				r.say(finding.TooBig, e.at, "services."+e.key, "", fmt.Sprintf("with what its services extend, the stack has more than %d values: split it", r.most))
				return
			}
		}
		if slices.Contains(seen, service) {
			r.say(finding.Cycle, e.value.entry("extends").at, "services."+e.key+".extends", "", "the services extend each other in a circle: let one of them stand by itself")
			return
		}
		if seen = append(seen, service); len(seen) > maxExtends {
			r.say(finding.TooBig, e.value.entry("extends").at, "services."+e.key+".extends", "", fmt.Sprintf("leads over more than %d services: extend the last of them directly", maxExtends))
			return
		}
		next := service.get("extends")
		if next == nil {
			return
		}
		service = f.service(next.text)
	}
}
