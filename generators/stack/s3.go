package stack

import (
	"fmt"

	"github.com/compose-spec/compose-go/v2/types"

	"skep.dev/generators/stack/document"
	"skep.dev/schema"
)

// S3Service is the storage's name in the swarm.
const S3Service = "s3_s3"

// The secrets of the storage: the keys of root, and that of whoever uses it.
const (
	AccessSecret = "s3-access-key"
	SecretSecret = "s3-secret-key"
	UserSecret   = "s3-user-key"
)

const (
	s3Data = "/data"
	// In memory: what is known of users comes from the secrets, at each start, and is never on a disk or in the share.
	s3Users = "/tmp/iam"
)

// s3 is the object storage. It publishes no port of its own: Traefik gives it TLS, and the signed keys never travel
// without.
func s3(c *schema.Cluster) (plan, error) {
	p := newPlan("s3")
	spec := c.Services.S3
	s, err := newService(spec.Image, spec.UID, spec.Resources)
	if err != nil {
		return plan{}, err
	}
	onDuty(&s, "s3")
	// Two servers on one directory would not see each other's locks.
	s.Deploy.Placement.MaxReplicas = 1
	p.notes["services/s3/deploy/placement"] = "The node that has the files: services.s3.node"
	p.mountSecret(c, &s, AccessSecret)
	p.mountSecret(c, &s, SecretSecret)
	s.User = fmt.Sprintf("%d:%d", spec.UID, spec.GID)
	switch spec.Server {
	case "minio":
		minio(&s, spec)
	default:
		p.mountSecret(c, &s, UserSecret)
		versitygw(&s, spec)
		p.notes["services/s3/command"] = "The keys of root, and services.s3.user: it makes buckets of its own, and the step buckets gives it the others."
	}
	s.Volumes = append(s.Volumes, types.ServiceVolumeConfig{Type: "bind", Source: spec.Path, Target: s3Data})
	scratch(&s, "/tmp", 16<<20)
	p.notes["services/s3/volumes"] = "services.s3.path; on the node it belongs to the user of the service"
	p.notes["services/s3/image"] = "services.s3.image"
	p.notes["services/s3/networks"] = "network.public.name"
	s.StopGracePeriod = seconds(30)
	p.attach(&s, c.Network.Public.Name)
	p.project.Services["s3"] = s
	return p, nil
}

// versitygw stores an object as a plain file, with its metadata in extended attributes.
func versitygw(s *types.ServiceConfig, spec *schema.S3) {
	// It reads its keys from the environment only, which the shell fills from the secrets' files.
	s.Entrypoint = []string{"/bin/sh", "-euc"}
	s.Command = []string{
		fmt.Sprintf("ROOT_ACCESS_KEY_ID=$(cat %s)\nROOT_SECRET_ACCESS_KEY=$(cat %s)\n", secretFile(AccessSecret), secretFile(SecretSecret)) +
			"export ROOT_ACCESS_KEY_ID ROOT_SECRET_ACCESS_KEY\n" +
			// Files in the share are for everybody to read, so the mask is not for the server.
			"(\n  umask 077\n" + `  mkdir -p "$VGW_IAM_DIR"` + "\n" +
			fmt.Sprintf(`  printf '{"accessAccounts":{"%%s":{"access":"%%s","secret":"%%s","role":"userplus"}}}' \`+"\n"+
				`    "$S3_USER" "$S3_USER" "$(sed 's/["\\]/\\&/g' %s)" >"$VGW_IAM_DIR/users.json"`+"\n)\n", secretFile(UserSecret)) +
			"exec versitygw posix " + s3Data + "\n",
	}
	setenv(s, "S3_USER", spec.User.Name)
	setenv(s, "VGW_IAM_DIR", s3Users)
	setenv(s, "VGW_PORT", address(spec.InternalPort))
	// Nobody administrates from outside, not even with root's keys.
	setenv(s, "VGW_ADMIN_PORT", "127.0.0.1"+address(spec.AdminPort))
	setenv(s, "VGW_REGION", spec.Region)
	setenv(s, "VGW_HEALTH", s3Health(spec))
	// Readers over NFS are other users, squashed to nobody.
	setenv(s, "VGW_DIR_PERMS", "0755")
	setenv(s, "VGW_FILE_PERMS", "0644")
	// One server alone needs no lock files on the share.
	setenv(s, "VGW_DISABLE_OBJECT_LOCK_FILE", "true")
	s.HealthCheck = healthGet(spec.InternalPort, s3Health(spec))
}

// minio stores objects in a format of its own; its files are of no use to other readers.
func minio(s *types.ServiceConfig, spec *schema.S3) {
	s.Command = []string{"server", s3Data, "--address=" + address(spec.InternalPort)}
	setenv(s, "MINIO_ROOT_USER_FILE", secretFile(AccessSecret))
	setenv(s, "MINIO_ROOT_PASSWORD_FILE", secretFile(SecretSecret))
	setenv(s, "MINIO_SITE_REGION", spec.Region)
	setenv(s, "MINIO_BROWSER", "off")
	setenv(s, "MINIO_UPDATE", "off")
	setenv(s, "HOME", "/tmp") // it makes a folder there, and the root is read-only
	s.HealthCheck = health("curl", "-fsS", "-o", "/dev/null", local(spec.InternalPort, s3Health(spec)))
}

// s3Health is the path that answers without a signature; it hides a bucket of that name.
func s3Health(spec *schema.S3) string {
	if spec.Server == "minio" {
		return "/minio/health/live"
	}
	return "/_health"
}

// addS3 adds the S3 API. A signature covers host and path, so it has a port or a host of its own, and passes unchanged.
func (d *dynamicConfig) addS3(c *schema.Cluster, notes document.Notes) {
	s := c.Services.S3
	d.HTTP.Services["s3"] = server(S3Service, s.InternalPort, s3Health(s))
	d.port(c, "s3", "s3", nil)
	notes["http/routers/s3"] = "services.s3.port, for visitors by address"
	notes["http/routers/s3-names"] = "certificates.names and domain: by name, no label comes before it."
	if s.Host != "" {
		d.HTTP.Routers["s3-host"] = dynamicRouter{EntryPoints: []string{"s3", "websecure"}, Rule: "Host(`" + s.Host + "`)", Priority: ownPriority, Service: "s3"}
		notes["http/routers/s3-host"] = "services.s3.host"
	}
}
