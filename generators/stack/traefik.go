package stack

import (
	"strconv"
	"strings"

	"skep.dev/schema"
)

const (
	apiNetwork        = "skep-api"        // the rows of schema.Cluster.Networks that stacks share
	monitoringNetwork = "skep-monitoring" //
	loginSecret       = "traefik-dashboard"
	certificateSecret = "web-certificate"
	keySecret         = "web-key"
	staticFile        = "traefik.yaml"
	dynamicFile       = "dynamic.yaml"
	rootFile          = "acme-root.pem"
)

// Tasks ask for each other by the name of the service in the swarm, not by the short alias: on the public network
// anybody's service may have the alias "grafana", but only one service can have the name.
const proxyHost = "traefik_socket-proxy"

// ACMEVolume is the volume of what the ACME authority gave, as the engine of its node knows it: the stack, and acme.
const ACMEVolume = "traefik_acme"

// traefik is the router in front of every service, and the proxy that answers its questions about the swarm.
func traefik(c *schema.Cluster) (plan, error) {
	p := newPlan("traefik")
	if err := p.addTraefik(c); err != nil {
		return plan{}, err
	}
	return p, p.addSocketProxy(c)
}

func (p *plan) addTraefik(c *schema.Cluster) error {
	t := c.Services.Traefik
	static, err := traefikStatic(c)
	if err != nil {
		return err
	}
	dynamic, err := traefikDynamic(c)
	if err != nil {
		return err
	}
	p.addFile(staticFile, static)
	p.addFile(dynamicFile, dynamic)

	s, err := newService(t.Image, t.UID, t.Resources)
	if err != nil {
		return err
	}
	onDuty(&s, "traefik")
	p.notes["services/traefik/deploy/placement"] = "services.traefik.nodes"
	p.notes["services/traefik/image"] = "services.traefik.image"
	// Not by Traefik's own command: it asks in clear, which the entry point of ping does not speak.
	s.HealthCheck = healthGet(t.Ports.Internal, "/ping")
	p.mountFile(&s, staticFile, "/etc/traefik/"+staticFile)
	p.mountFile(&s, dynamicFile, "/etc/traefik/"+dynamicFile)
	p.mountSecret(c, &s, loginSecret)
	if t.Certificate.ACME != nil {
		// Several Traefiks would each ask for certificates and overwrite each other's file (traefik#5792).
		s.Deploy.Placement.MaxReplicas = 1
		p.mountVolume(&s, "acme", "/acme")
		p.notes["volumes/acme"] = "account and certificates: services.traefik.certificate.acme"
		if root := t.Certificate.ACME.Root; root != "" {
			p.addFile(rootFile, []byte(strings.TrimSpace(root)+"\n"))
			p.mountFile(&s, rootFile, "/etc/traefik/"+rootFile)
		}
	} else {
		global(&s)
		p.mountSecret(c, &s, certificateSecret)
		p.mountSecret(c, &s, keySecret)
	}
	scratch(&s, "/tmp", 64<<20)
	var published []string
	for _, e := range entryPoints(c) {
		if e.published {
			publish(&s, e.port)
			published = append(published, e.name)
		}
	}
	p.notes["services/traefik/ports"] = "Host mode: Traefik sees the clients' addresses. Exposures: " + strings.Join(published, ", ")
	s.StopGracePeriod = seconds(30)
	p.attach(&s, c.Networks.Names()...) // it is in front of all of them
	p.notes["services/traefik/networks"] = "network.public.name"
	p.project.Services["traefik"] = s
	return nil
}

// addSocketProxy adds the only task that sees a Docker socket for the swarm's sake. It answers GET requests for
// services, tasks, networks and nodes, which Traefik and Prometheus ask, and refuses everything else.
func (p *plan) addSocketProxy(c *schema.Cluster) error {
	proxy := c.Services.Traefik.Proxy
	s, err := newService(proxy.Image, proxy.UID, proxy.Resources)
	if err != nil {
		return err
	}
	global(&s)
	s.Deploy.Placement.Constraints = []string{"node.role == manager"}
	for _, allowed := range []string{"SERVICES", "TASKS", "NETWORKS", "NODES"} {
		setenv(&s, allowed, "1")
	}
	setenv(&s, "EVENTS", "0") // the image allows them
	setenv(&s, "POST", "0")
	// Overlays have no IPv6 addresses, and the image fails to listen on [::] where the host has none.
	setenv(&s, "DISABLE_IPV6", "1")
	bindReadOnly(&s, "/var/run/docker.sock", "/var/run/docker.sock")
	scratch(&s, "/run", 1<<20)
	scratch(&s, "/tmp", 1<<20)
	s.HealthCheck = healthGet(proxy.Port, "/_ping")
	p.attach(&s, apiNetwork)
	p.notes["services/socket-proxy"] = "Only managers know the swarm's services. Read-only questions; Traefik and Prometheus never see the socket.\nservices.traefik.proxy"
	p.project.Services["socket-proxy"] = s
	return nil
}

// entryPoint is a port that Traefik listens on.
type entryPoint struct {
	name      string
	port      uint16
	published bool
}

func entryPoints(c *schema.Cluster) []entryPoint {
	ports := c.Services.Traefik.Ports
	points := []entryPoint{
		{"web", ports.Web, true},
		{"websecure", ports.Websecure, true},
		{"dashboard", ports.Dashboard, true},
		{"internal", ports.Internal, false},
		{redirect, ports.Redirect, false},
		{status, ports.Status, false},
	}
	for _, p := range c.Rows.Points {
		points = append(points, entryPoint{p.Name, p.Port, true})
	}
	return points
}

func address(port uint16) string { return ":" + strconv.Itoa(int(port)) }
