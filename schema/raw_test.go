package schema

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cuelang.org/go/cue"
	cueerrors "cuelang.org/go/cue/errors"
)

func TestRaw(t *testing.T) {
	dirs, _ := filepath.Glob("/tmp/ldx/b/" + os.Getenv("CASE") + "*-*")
	for _, d := range dirs {
		fmt.Println("=====", filepath.Base(d))
		if os.Getenv("RAW") != "" {
			inst, err := source(d, 1<<20)
			if err == nil && inst.Err == nil {
				r := newReader(inst)
				u := r.ctx.BuildInstance(r.inst)
				r.buildSchema()
				c := u.LookupPath(cue.ParsePath("cluster"))
				if !c.Exists() {
					c = r.def.Unify(u)
				}
				if u.Err() != nil {
					fmt.Println("   USERERR", u.Err())
				}
				for _, e := range cueerrors.Errors(c.Validate(cue.Concrete(true))) {
					f, _ := e.Msg()
					fmt.Printf("   %s | %s | %v | f=%q", strings.Join(e.Path(), "."), e.Error(), e.Position(), f)
					for _, p := range e.InputPositions() {
						fmt.Printf(" %s:%d:%d", filepath.Base(p.Filename()), p.Line(), p.Column())
					}
					fmt.Println()
				}
			} else {
				fmt.Println("  LOADERR", err, inst.Err)
			}
		}
		os.Chdir(d)
		_, err := Load(".")
		fmt.Println(err)
	}
}
