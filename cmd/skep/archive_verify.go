package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"skep.dev/generators/archive"
)

// verifyOptions are the flags of archive verify.
type verifyOptions struct {
	signers  string
	unsigned bool
	base     string
	older    bool
}

func newVerifyCmd() *cobra.Command {
	var o verifyOptions
	cmd := &cobra.Command{
		Use:   "verify FILE",
		Short: "prove that an archive holds what was signed, and nothing else",
		Long: `verify reads an archive to its end, without unpacking it, and prints which one it is. SIGNERS is a file of allowed
signers as ssh-keygen(1) describes it, such as

  ops@example.org namespaces="skep-archive" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5...

Beside it skep-serials remembers the last archive of each cluster: one that was made before it is refused (exit 3).
Whoever has no skep inside unpacks the archive into an empty directory, and runs verify.sh of an earlier one on it.`,
		Example: `  skep archive verify --signers /etc/skep/signers paris-12.tar
  skep archive verify --signers /etc/skep/signers --base paris paris-13.tar    # a delta`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError{"archive verify: want one FILE (see: skep archive verify --help)"}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return verifyArchive(cmd, args[0], o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.signers, "signers", "", "a `FILE` of those whose signature counts")
	flags.BoolVar(&o.unsigned, "unsigned", false, "believe the sums without a signature")
	flags.StringVar(&o.base, "base", "", "the unpacked archive `DIR` that this one, a delta, follows")
	flags.BoolVar(&o.older, "allow-older", false, "accept an archive that was made before the last accepted one")
	return cmd
}

func verifyArchive(cmd *cobra.Command, name string, o verifyOptions) error {
	if (o.signers == "") != o.unsigned {
		return usageError{"archive verify: want --signers FILE, or else --unsigned (see: skep archive verify --help)"}
	}
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	signer := ""
	v := archive.Verifier{Base: o.base, Signed: func(sums, signature []byte) error { return nil }}
	if o.signers != "" {
		v.Signed = func(sums, signature []byte) (err error) {
			signer, err = signerOf(o.signers, sums, signature)
			return err
		}
	}
	got, err := v.Verify(f)
	if err == nil && o.signers != "" {
		policy := archive.RefuseOlder
		if o.older {
			policy = archive.AllowOlder
		}
		err = got.Accept(filepath.Join(filepath.Dir(o.signers), "skep-serials"), policy)
	}
	switch {
	case errors.As(err, new(archive.Wrong)), errors.As(err, new(archive.Older)):
		return fmt.Errorf("%s: %w", name, err)
	case err != nil:
		return err
	}
	how := "not signed"
	if signer != "" {
		how = "signed by " + signer
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %d files, %s\n", got.Identity, got.Files, how)
	return err
}

// signerOf asks ssh-keygen whose signature of the sums it is, among those that count.
func signerOf(signers string, sums, signature []byte) (string, error) {
	if signature == nil {
		return "", archive.Unsigned()
	}
	if _, err := os.Stat(signers); err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "skep-verify-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, archive.Signature)
	if err := os.WriteFile(file, signature, 0o600); err != nil {
		return "", err
	}
	out, err := exec.Command("ssh-keygen", "-Y", "find-principals", "-f", signers, "-s", file).Output()
	if errors.Is(err, exec.ErrNotFound) {
		return "", err
	}
	signer, _, _ := strings.Cut(string(out), "\n")
	if err != nil || signer == "" {
		return "", archive.Stranger(signers)
	}
	check := exec.Command("ssh-keygen", "-Y", "verify", "-f", signers, "-I", signer, "-n", namespace, "-s", file)
	check.Stdin = bytes.NewReader(sums)
	if check.Run() != nil {
		return "", archive.Forged(signer)
	}
	return signer, nil
}
