package stacks

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"skep.dev/schema"
	"skep.dev/schema/compose"
	"skep.dev/schema/finding"
	"skep.dev/schema/written"
)

// shared keeps a volume on a share: the runbook makes its directory there.
func (s *stack) shared(volume string, said schema.StackVolume) {
	field := s.Field("volumes", volume)
	if s.Services.NFS == nil {
		s.field(finding.NotAShare, field+".share", fmt.Sprintf("no node has shares: add services: nfs: {server: \"%s\", shares: %s: mode: \"read-write\"}", s.Managers()[0].Name, label(said.Share)))
		return
	}
	shares := s.Services.NFS.Shares
	share, ok := shares.Named(said.Share)
	if !ok {
		s.field(finding.NotAShare, field+".share", fmt.Sprintf("%s is not a share: add services: nfs: shares: %s: mode: \"read-write\"", said.Share, label(said.Share))+
			written.DidYouMean(said.Share, shares.Names()))
		return
	}
	s.directory(field+".path", share, said.Path)
	if !share.Writes() {
		s.writers(volume, fmt.Sprintf("is on the share %s, which is read-only: add read_only: true to the mount, or in the spec services: nfs: shares: %s: mode: \"read-write\"", share.Name, label(share.Name)))
	}
}

// directory adds a row for a directory below a share. Volumes of several stacks may be in one.
func (s *stack) directory(field string, share schema.NFSShare, below string) {
	dir := path.Join(share.Path, below)
	has := func(d schema.Directory) bool { return d.Path == dir }
	if below == "." || slices.ContainsFunc(s.Rows.Directories, has) {
		return
	}
	row, _ := s.Rows.Directories.Named(schema.JoinPath("services", "nfs", "shares", share.Name, "path"))
	row.Field, row.Path, row.Filesystem = field, dir, "any"
	s.Rows.Directories = append(s.Rows.Directories, row)
}

// writers finds the mounts of a read-only volume that are not.
func (s *stack) writers(volume, text string) {
	for _, service := range s.services() {
		for i, mount := range service.Volumes {
			if mount.Type == "volume" && mount.Source == volume && !mount.ReadOnly {
				s.at(finding.ShareReadOnly, service.path("volumes", strconv.Itoa(i)), volume, "%s", text)
			}
		}
	}
}

// orShare offers the first share that can be written to.
func (j *joiner) orShare() string {
	if j.Services.NFS != nil {
		for _, share := range j.Services.NFS.Shares {
			if share.Writes() {
				return fmt.Sprintf("{share: \"%s\", path: \"...\"} for the same files on all nodes, or ", share.Name)
			}
		}
	}
	return ""
}

// mounted compares volumes that the Compose files mount over NFS themselves with what the cluster's server exports. A cluster
// without one leaves all of them to others.
func (s *stack) mounted() {
	if s.Services.NFS == nil {
		return
	}
	for _, name := range s.project.Order["volumes"] {
		v, ok := s.project.Volumes[name]
		if !ok || !compose.IsLocal(v) || !strings.HasPrefix(v.DriverOpts["type"], "nfs") {
			continue
		}
		options := mountOptions(v)
		if !s.isServer(options["addr"]) {
			s.at(finding.VolumeElsewhere, []string{"volumes", name}, options["addr"], "is an NFS server that is not skep's: the bundle neither makes the directory, nor opens the way to it, nor looks after it")
			continue
		}
		s.exported(name, v, options)
	}
}

// mountOptions are those of mount(2), by name.
func mountOptions(v types.VolumeConfig) map[string]string {
	options := map[string]string{}
	for option := range strings.SplitSeq(v.DriverOpts["o"], ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(option), "=")
		options[name] = value
	}
	return options
}

// isServer reports whether an address, or a name, is that of the node that exports.
func (j *joiner) isServer(addr string) bool {
	n := j.Node(j.Services.NFS.Server)
	return addr != "" && slices.Contains([]string{n.Name, n.Address.String(), n.Public.String(), n.Underlay.String()}, addr)
}

// exported finds what the server does not export, or not so.
func (s *stack) exported(name string, v types.VolumeConfig, options map[string]string) {
	n, at := s.Services.NFS, []string{"volumes", name, "driver_opts"}
	o := append(slices.Clone(at), "o")
	if address := s.Node(n.Server).Address.String(); options["addr"] != address {
		s.at(finding.ShareMismatch, o, options["addr"], "the nodes reach the NFS server at another address: want addr=%s", address)
	}
	if asked, ok := s.speaks(v.DriverOpts["type"], options); !ok {
		s.at(finding.ShareMismatch, o, "", "asks for NFSv%s, and the server speaks %s: add nfsvers=4.2", asked, map[string]string{"4": "4.1 and 4.2", "3+4": "3, 4.1 and 4.2"}[n.Versions])
	}
	device := strings.TrimPrefix(v.DriverOpts["device"], ":")
	dirs, writes := []string{n.Path}, map[string]bool{}
	for _, share := range n.Shares {
		dirs, writes[share.Path] = append(dirs, share.Path), share.Writes()
	}
	in := slices.IndexFunc(dirs, func(dir string) bool { return device == dir || strings.HasPrefix(device, dir+"/") })
	if in < 0 {
		s.at(finding.ShareMismatch, append(at, "device"), device, "%s exports no such directory, but %s: name one of them, or add services: nfs: shares: %s: {path: ..., mode: \"read-write\"}",
			n.Server, finding.Several(dirs), label(name))
		return
	}
	if _, readOnly := options["ro"]; readOnly {
		s.writers(name, "is mounted with the option ro: add read_only: true to the mount, or write rw in driver_opts")
	} else if !writes[dirs[in]] {
		s.writers(name, fmt.Sprintf("%s is exported read-only: add read_only: true to the mount, or keep it on a share with mode: \"read-write\"", dirs[in]))
	}
}

// speaks reports which version the kernel asks for, and whether the server speaks it. Docker calls mount(2) itself: without
// a version that is 3 for nfs, and without a minor one 4.0, which mount.nfs would negotiate.
func (j *joiner) speaks(kind string, options map[string]string) (version string, ok bool) {
	version = options["nfsvers"]
	if version == "" {
		version = options["vers"]
	}
	if version == "" {
		version = strings.TrimPrefix(kind, "nfs")
	}
	switch version {
	case "":
		version = "3"
	case "4":
		version = "4.0"
		if minor, set := options["minorversion"]; set {
			version = "4." + minor
		}
	}
	return version, version == "4.1" || version == "4.2" || version == "3" && j.Services.NFS.Versions == "3+4"
}
