package main

import (
	"bufio"
	"io"
	"os"

	"golang.org/x/term"

	"skep.dev/generators/artifact"
)

// output is stdout: buffered, harmless, and aware of whether it may carry colour.
type output struct {
	harmless
	buffer *bufio.Writer
	file   *os.File // nil for what is no file
}

// Flush writes what is left.
func (o output) Flush() error { return o.buffer.Flush() }

// colours are on or off: on a terminal only, and never against https://no-color.org.
type colours struct{ on bool }

func newOutput(w io.Writer) output {
	f, _ := w.(*os.File)
	buffer := bufio.NewWriter(w)
	return output{harmless{buffer, coloursFor(w)}, buffer, f}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func coloursFor(w io.Writer) colours {
	return colours{on: isTerminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
}

// coloursOf says what may be written to w; a writer that is not stdout gets none.
func coloursOf(w io.Writer) colours {
	if out, ok := w.(output); ok {
		return out.colours
	}
	return colours{}
}

// kind is the word for a kind of difference: green and red as in git, and loud for what skep will not touch.
func (c colours) kind(k artifact.Kind) string {
	switch k {
	case artifact.Added:
		return c.paint("32", string(k))
	case artifact.Removed:
		return c.paint("31", string(k))
	case artifact.Edited, artifact.Foreign:
		return c.paint("1;31", string(k))
	}
	return c.paint("33", string(k))
}

func (c colours) paint(code, word string) string {
	if !c.on {
		return word
	}
	return "\x1b[" + code + "m" + word + "\x1b[0m"
}
