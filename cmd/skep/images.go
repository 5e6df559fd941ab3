package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"skep.dev/generators/images"
)

// Forms of the list of images that other tools read.
const (
	formatPlain  format = "plain"
	formatSkopeo format = "skopeo"
	formatHauler format = "hauler"
	formatZarf   format = "zarf"
)

// newImagesCmd lists images.
func newImagesCmd() *cobra.Command {
	var f *format
	cmd := &cobra.Command{
		Use:   "images [SPEC]",
		Short: "list the images that a cluster runs, for people and other tools",
		Long: `images lists what a cluster of SPEC runs, as it is fetched: with the digest that images.lock beside SPEC has, if there is
one. Unlike other verbs it takes a lock that no longer fits: what the lock lacks stands without a digest, and what only
the lock has is left out. So it tells images/lock.sh of a bundle what to write anew, and nothing else moves:

  skep images | bundle/images/lock.sh images.lock -

The forms of --format:
  plain     one image a line
  json      with the fields of the spec that name each, and the platforms of the nodes that need it
  skopeo    for skopeo sync --all --scoped --src yaml --dest docker FILE REGISTRY
  hauler    for hauler store sync --filename FILE
  zarf      a zarf.yaml, for zarf package create`,
		Example: `  skep images
  skep images paris --format skopeo >images.yaml`,
		Args:              atMost(1, "SPEC"),
		ValidArgsFunction: completeSpec,
		RunE: func(cmd *cobra.Command, args []string) error {
			return listImages(cmd.OutOrStdout(), specArg(args), *f)
		},
	}
	f = addFormats(cmd, formatPlain, formatJSON, formatSkopeo, formatHauler, formatZarf)
	return cmd
}

// imageList is the images as data.
type imageList struct {
	Schema string         `json:"schema"`
	Images []images.Image `json:"images"`
}

func listImages(w io.Writer, path string, f format) error {
	c, err := loadUnlocked(path)
	if err != nil {
		return err
	}
	if f == formatJSON {
		return newJSON(w).Encode(imageList{version1("image-list"), images.Of(c.Cluster)})
	}
	write := map[format]func() (string, error){
		formatPlain:  func() (string, error) { return images.Plain(c.Cluster), nil },
		formatSkopeo: func() (string, error) { return images.Skopeo(c.Cluster) },
		formatHauler: func() (string, error) { return images.Hauler(c.Cluster) },
		formatZarf:   func() (string, error) { return images.Zarf(c.Cluster) },
	}
	text, err := write[f]()
	if err != nil {
		return fmt.Errorf("images: %w", err)
	}
	_, err = io.WriteString(w, text)
	return err
}
