package artifact

import (
	"bytes"
	"embed"
	"fmt"
	"path"
)

// Source is where a package has the texts that it puts into files as they are.
type Source struct {
	Directory string // in the source of skep, such as "generators/tls"
	Files     embed.FS
}

// Body is such a text, and its name in the source of skep.
type Body struct{ Name, Text string }

// Static says where the source of skep has lines of a file: First to Last, counted from 1.
type Static struct {
	First, Last int
	Source      string // such as "generators/tls/command.sh"
	Line        int    // of it, that First is; 0 where a function in it makes the lines
}

// MadeBy says of all lines that a function in that file makes them.
func MadeBy(source string, data []byte) []Static {
	return []Static{{First: 1, Last: bytes.Count(data, []byte("\n")), Source: source}}
}

// Bodies returns texts by their names.
func (s Source) Bodies(names ...string) []Body {
	var bodies []Body
	for _, name := range names {
		bodies = append(bodies, Body{path.Join(s.Directory, name), string(s.read(name))})
	}
	return bodies
}

// Own is a file of skep's own that is one of the texts.
func (s Source) Own(name, text string) File {
	f := Own(name, s.read(text), path.Join(s.Directory, text))
	f.Static[0].Line = 1
	return f
}

// read panics where a name is not among the files, which a package knows from its own source.
func (s Source) read(name string) []byte {
	data, err := s.Files.ReadFile(name)
	if err != nil {
		panic(fmt.Sprintf("%s: not embedded: %v", s.Directory, err))
	}
	return data
}
