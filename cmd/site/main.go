// Command site writes the reference of skep into a directory: pages in Markdown, and beside each the same as HTML, which open from
// disk with their pictures and a search. They are made from the schema, the command, an example's bundle, and the prose that lives
// beside what it describes.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	out := flag.String("o", "site", "`DIR` to write into")
	root := flag.String("root", ".", "`DIR` of skep's source")
	flag.Parse()
	if err := write(*root, *out); err != nil {
		fmt.Fprintln(os.Stderr, "site: "+err.Error())
		os.Exit(1)
	}
}

// write makes all pages, then writes them.
func write(root, out string) error {
	pages, err := all(root)
	if err != nil {
		return err
	}
	files, err := render(pages)
	if err != nil {
		return err
	}
	for _, picture := range pictures {
		if files[filepath.Base(picture)], err = os.ReadFile(filepath.Join(root, picture)); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(out, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}
