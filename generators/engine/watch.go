package engine

import (
	_ "embed" // the body of the script, and its units
	"path"

	"skep.dev/generators/artifact"
	"skep.dev/generators/tls"
	"skep.dev/schema"
)

// What watches the certificates of the Docker API, in the bundle. It is there with monitoring.
const (
	Watch        = "engine/skep-certificates.sh"
	WatchService = "engine/skep-certificates.service"
	WatchTimer   = "engine/skep-certificates.timer"
)

// Where it is installed on managers, and what it writes. Measures is on every node, and everybody may read it:
// node-exporter is nobody, and complains about a directory that is not there.
const (
	InstalledWatch        = "/usr/local/sbin/skep-certificates"
	InstalledWatchService = "/etc/systemd/system/skep-certificates.service"
	InstalledWatchTimer   = "/etc/systemd/system/skep-certificates.timer"
	Measures              = "/var/lib/skep-metrics"
	CertificateMeasures   = Measures + "/certificates.prom"
)

//go:embed skep-certificates.sh
var watchBody string

//go:embed skep-certificates.service
var watchService []byte

//go:embed skep-certificates.timer
var watchTimer []byte

// watch returns the script that measures when the certificates end, and the units that call it.
func watch(c *schema.Cluster) []artifact.File {
	if c.Services.Monitoring == nil {
		return nil
	}
	certificates := []string{path.Join(c.Engine.TLS, tls.CA), path.Join(c.Engine.TLS, tls.ServerCert)}
	return []artifact.File{
		artifact.Script(Watch, []artifact.Var{
			artifact.Strings("certificates", certificates).From("engine.tls"),
			artifact.String("measures", CertificateMeasures),
		}, watchBody),
		{Path: WatchService, Mode: 0o644, Data: watchService},
		{Path: WatchTimer, Mode: 0o644, Data: watchTimer},
	}
}
