package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"skep.dev/generators/archive"
	"skep.dev/generators/artifact"
	"skep.dev/generators/images"
)

// namespace is what signatures of archives are for: none that was made for something else counts.
const namespace = "skep-archive"

// archiveOptions are the flags of archive.
type archiveOptions struct {
	serial           int
	images, packages string
	since, key       string
	output           string
}

func newArchiveCmd() *cobra.Command {
	var o archiveOptions
	cmd := &cobra.Command{
		Use:   "archive [SPEC]",
		Short: "pack a bundle and all that it needs into one file, for a site without a network",
		Long: `archive compiles SPEC and packs one tar: the bundle, the archives of its images, packages, this skep, a list of what
is named (CycloneDX), and SHA256SUMS, which --sign has ssh-keygen sign; skep never reads the key. The same input gives
the same bytes.

Inside, skep archive verify, or the script verify.sh of an earlier archive, proves the file before anything of it runs.
Serials grow from one archive to the next, so that nobody can bring in an old one for a new one: the number of a
pipeline, or what git rev-list --count HEAD prints.

With --since the archive is a delta: what the former one had under the same name with the same bytes is left out. Its
sums and its signature are those of the whole.`,
		Example: `  bundle/images/fetch.sh carried/images
  bundle/packages/fetch.sh carried/packages
  skep archive --serial 12 --images carried/images --packages carried/packages --sign ~/.ssh/carrier -o paris-12.tar
  skep archive --serial 13 --images carried/images --packages carried/packages --sign ~/.ssh/carrier --since paris-12.tar -o paris-13.tar`,
		Args:              atMost(1, "SPEC"),
		ValidArgsFunction: completeSpec,
		RunE: func(cmd *cobra.Command, args []string) error {
			return pack(cmd, specArg(args), o)
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&o.serial, "serial", 0, "the `NUMBER` of this archive: higher than that of the one before")
	flags.StringVar(&o.images, "images", "", "the `DIR` that images/fetch.sh filled (with images.delivery: \"load\")")
	flags.StringVar(&o.packages, "packages", "", "the `DIR` that packages/fetch.sh filled")
	flags.StringVar(&o.key, "sign", "", "the ssh `KEY` to sign with; the public half, where an agent has the key")
	flags.StringVar(&o.since, "since", "", "leave out what the former archive `FILE` has (or its SHA256SUMS)")
	flags.StringVarP(&o.output, "output", "o", "", "write the archive to `FILE`")
	cmd.AddCommand(newVerifyCmd())
	return cmd
}

func pack(cmd *cobra.Command, path string, o archiveOptions) error {
	switch {
	case o.output == "":
		return usageError{"archive: want --output FILE (see: skep archive --help)"}
	case o.serial < 1 || o.serial > 999_999_999:
		return usageError{"archive: want --serial NUMBER, from 1: higher than that of the archive before (see: skep archive --help)"}
	}
	if err := plainName(cmd, o.output, "a file"); err != nil {
		return err
	}
	c, bundle, err := proven(path)
	if err != nil {
		return err
	}
	files, left, err := contents(c, bundle, o)
	if err != nil {
		return err
	}
	for _, name := range left {
		talk(cmd.ErrOrStderr(), name+": warning: is not for the nodes or images of the spec, and is left out")
	}
	p, err := archive.New(archive.Identity{Name: c.Name, Serial: o.serial}, files)
	if err != nil {
		return err
	}
	signed := "not signed"
	if o.key != "" {
		signature, err := sign(o.key, p.Sums())
		if err != nil {
			return err
		}
		p.Sign(signature)
		signed = "signed"
	}
	if o.since != "" {
		if err := since(p, o.since); err != nil {
			return err
		}
	}
	if err := p.Write(o.output); err != nil {
		return err
	}
	count, size := p.Size()
	line := fmt.Sprintf("%s: %s: %d files, %s, %s", o.output, p.Identity, count, plainBytes(size), signed)
	if o.since != "" {
		line += fmt.Sprintf("; %d more are those of %s", p.Left(), o.since)
	}
	talk(cmd.ErrOrStderr(), line)
	return nil
}

// contents are the files of an archive, and those that are left out.
func contents(c loaded, bundle []artifact.File, o archiveOptions) (files []archive.File, left []string, err error) {
	files = archive.OfBundle(bundle)
	switch {
	case c.Images.Loads() && o.images == "":
		return nil, nil, usageError{"archive: images.delivery is \"load\": want --images DIR, which bundle/images/fetch.sh fills"}
	case !c.Images.Loads() && o.images != "":
		return nil, nil, usageError{"archive: --images: images.delivery is \"pull\", so the nodes would ask registries: set it to \"load\", or leave the images out"}
	case o.images != "":
		all, others, err := archive.OfImages(c.Cluster, filepath.Clean(o.images))
		if err != nil {
			return nil, nil, err
		}
		files, left = append(files, all...), others
	}
	if o.packages != "" {
		all, others, err := archive.OfPackages(c.Cluster, filepath.Clean(o.packages))
		if err != nil {
			return nil, nil, err
		}
		files, left = append(files, all...), append(left, others...)
	}
	bill, err := archive.BillOf(c.Name, artifact.Manifest(bundle).Data, images.Of(c.Cluster), archive.Debs(files))
	if err != nil {
		return nil, nil, err
	}
	program, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	return append(files, archive.Text(archive.Materials, 0o644, bill), archive.OnDisk(archive.Program, 0o755, program)), left, nil
}

// since makes a delta.
func since(p *archive.Packing, former string) error {
	f, err := os.Open(former)
	if err != nil {
		return err
	}
	defer f.Close()
	text, err := archive.SumsOf(f)
	if err == nil {
		err = p.Since(text)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", former, err)
	}
	return nil
}

// sign has ssh-keygen sign, which asks for a passphrase or an agent if it needs one.
func sign(key string, text []byte) ([]byte, error) {
	dir, err := os.MkdirTemp("", "skep-sign-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, archive.Sums)
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return nil, err
	}
	cmd := exec.Command("ssh-keygen", "-Y", "sign", "-f", key, "-n", namespace, file)
	cmd.Stdin = os.Stdin
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("--sign %s: ssh-keygen: %s", key, lastLine(out, err))
	}
	return os.ReadFile(file + ".sig")
}

// lastLine is what a program said at its end, or else how it ended.
func lastLine(out []byte, err error) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if last := strings.TrimSpace(lines[len(lines)-1]); last != "" {
		return last
	}
	return err.Error()
}

// plainBytes is a size for people.
func plainBytes(n int64) string {
	switch {
	case n >= 10<<30:
		return fmt.Sprintf("%d GiB", n>>30)
	case n >= 10<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d KiB", n>>10)
}
