package artifact

import (
	"slices"
	"strings"
	"testing"
)

// FuzzFacts: what a table is made of is what is read back, whatever stands in it.
func FuzzFacts(f *testing.F) {
	f.Add("it's", "a\nb", "services.nfs.path")
	f.Add("$(x) `y`", "", "#")
	f.Add("'", "(\\", "\\\n")
	f.Fuzz(func(t *testing.T, one, two, from string) {
		if strings.ContainsRune(one+two, 0) {
			t.Skip("no shell can hold it")
		}
		vars := []Var{String("one", one).From("name"), Strings("both", []string{one, two}), Strings("none", nil), Number("size", -7)}
		rows := []Row{{Function: "step", Words: []string{one}, Lines: [][]Cell{{{"title", two}}, {{"why", one}, {"hosts", "all"}}}}, {Function: "last"}}
		facts, calls, err := Facts(Table("t.sh", vars, rows))
		if err != nil {
			t.Fatal(err)
		}
		want := []Fact{{"one", []string{one}, "name"}, {"both", []string{one, two}, ""}, {"none", nil, ""}, {"size", []string{"-7"}, ""}}
		if !slices.EqualFunc(facts, want, func(a, b Fact) bool { return a.Name == b.Name && a.From == b.From && slices.Equal(a.Words, b.Words) }) {
			t.Errorf("facts %q, want %q", facts, want)
		}
		call := Call{"step", one}
		for _, cell := range []Cell{{"title", two}, {"why", one}, {"hosts", "all"}} {
			if cell.Value != "" {
				call = append(call, cell.Name+"="+cell.Value)
			}
		}
		if !slices.EqualFunc(calls, []Call{call, {"last"}}, slices.Equal[Call]) {
			t.Errorf("calls %q, want %q", calls, call)
		}
		// Whatever else is read ends, too.
		_, _, _ = Facts(File{Path: "x.sh", Data: []byte("variables() {\n" + one + two + from)})
	})
}

// TestFactsOfScripts: the facts end where the body begins, and a table holds nothing else.
func TestFactsOfScripts(t *testing.T) {
	script := Script("x.sh", []Var{Strings("servers", []string{"m1"}).From("nodes: the managers")}, Body{Text: "# Body.\necho $(no table)\n"})
	facts, calls, err := Facts(script)
	if err != nil || len(calls) > 0 || len(facts) != 1 || facts[0].From != "nodes: the managers" || !slices.Equal(facts[0].Words, []string{"m1"}) {
		t.Errorf("%q %q %v", facts, calls, err)
	}
	for _, text := range []string{"step $(x)", "step 'a", "readonly x=$(y)", "readonly x", "readonly -a x=y", "readonly -a x=('a'", "step '05' \\ x"} {
		if facts, calls, err := Facts(File{Path: "t.sh", Data: []byte("variables() {\n}\n\n" + text + "\n")}); err == nil {
			t.Errorf("%q is read as %q %q", text, facts, calls)
		} else if !strings.HasPrefix(err.Error(), "t.sh:4: ") && !strings.HasPrefix(err.Error(), "t.sh:5: ") {
			t.Error(err)
		}
	}
}
