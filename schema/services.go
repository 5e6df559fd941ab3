package schema

// Services are the optional services; one that the spec does not name is nil.
type Services struct {
	Traefik    *Traefik    `json:"traefik,omitempty"`
	Monitoring *Monitoring `json:"monitoring,omitempty"`
	NFS        *NFS        `json:"nfs,omitempty"`
	S3         *S3         `json:"s3,omitempty"`
	VPN        VPN         `json:"vpn,omitzero"`
}

// Traefik is the router in front of every service.
type Traefik struct {
	Inside      bool           `json:"inside"`      // nodes and containers reach the web's ports too
	Connections int            `json:"connections"` // at once, of one sender; 0 is no limit
	Image       string         `json:"image"`
	Nodes       []string       `json:"nodes"`
	Certificate WebCertificate `json:"certificate"`
	Dashboard   Dashboard      `json:"dashboard"`
	Log         string         `json:"log"`
	Ports       TraefikPorts   `json:"ports"`
	TCP         string         `json:"tcp"`
	Timeouts    Timeouts       `json:"timeouts"`
	Proxy       SocketProxy    `json:"proxy"`
	UID         int            `json:"uid"`
	Resources   Resources      `json:"resources"`
}

// WebCertificate says where the web certificate comes from: exactly one of the three pointers is set.
type WebCertificate struct {
	SelfSigned *struct{} `json:"selfSigned,omitempty"`
	ACME       *ACME     `json:"acme,omitempty"`
	Files      *struct{} `json:"files,omitempty"`
	Revision   int       `json:"revision"`
}

// ACMEResolver is the name by which routers of Traefik ask for a certificate of the ACME authority.
const ACMEResolver = "acme"

// ACME is an account at an authority such as Let's Encrypt. Root is PEM text, or empty where Traefik's image knows the
// authority; Challenge is "tls" or "http".
type ACME struct {
	Email     string `json:"email"`
	Server    string `json:"server"`
	Root      string `json:"root,omitempty"`
	Challenge string `json:"challenge"`
	Storage   string `json:"storage"`
}

// Timeouts are how long one request may take to arrive, in Go's notation: on port 443, and on the port of S3.
type Timeouts struct {
	Read   string `json:"read"`
	Upload string `json:"upload"`
}

// Dashboard is the login of Traefik's own pages.
type Dashboard struct {
	User     string `json:"user"`
	Revision int    `json:"revision"`
}

// TraefikPorts are the entry points.
type TraefikPorts struct {
	Web       uint16 `json:"web"`
	Websecure uint16 `json:"websecure"`
	Dashboard uint16 `json:"dashboard"`
	Internal  uint16 `json:"internal"`
	Redirect  uint16 `json:"redirect"`
	Status    uint16 `json:"status"`
}

// SocketProxy answers read-only questions to the Docker API.
type SocketProxy struct {
	Image     string    `json:"image"`
	Port      uint16    `json:"port"`
	UID       int       `json:"uid"`
	Resources Resources `json:"resources"`
}

// Resources are what one task may use, and what is kept free for it, in Docker's notation ("0.5", "512m").
type Resources struct {
	CPUs    string `json:"cpus"`
	Memory  string `json:"memory"`
	Reserve string `json:"reserve"`
}

// Monitoring is Prometheus, Grafana and their exporters. Alerts is nil when nobody is to be told.
type Monitoring struct {
	Node         string     `json:"node"`
	Prometheus   Prometheus `json:"prometheus"`
	Grafana      Grafana    `json:"grafana"`
	NodeExporter Exporter   `json:"nodeExporter"`
	CAdvisor     Exporter   `json:"cadvisor"`
	Thresholds   Thresholds `json:"thresholds"`
	Alerts       *Alerts    `json:"alerts,omitempty"`
}

// Prometheus keeps the metrics. Durations and sizes are in Prometheus' notation.
type Prometheus struct {
	Image     string    `json:"image"`
	Retention Retention `json:"retention"`
	Interval  string    `json:"interval"`
	Path      string    `json:"path"`
	Port      uint16    `json:"port"`
	UID       int       `json:"uid"`
	Resources Resources `json:"resources"`
}

// Retention ends at whichever limit is reached first.
type Retention struct {
	Time string `json:"time"`
	Size string `json:"size"`
}

// Grafana shows the metrics.
type Grafana struct {
	Image    string `json:"image"`
	User     string `json:"user"`
	Revision int    `json:"revision"`
	Path     string `json:"path"`
	Port     uint16 `json:"port"`
	UID      int    `json:"uid"`

	From      []string         `json:"from"` // zones
	SecretKey GrafanaSecretKey `json:"secretKey"`
	Resources Resources        `json:"resources"`
}

// GrafanaSecretKey encrypts what Grafana keeps of others, such as passwords of data sources.
type GrafanaSecretKey struct {
	Revision int `json:"revision"`
}

// Exporter is a task on every node that Prometheus scrapes.
type Exporter struct {
	Image     string    `json:"image"`
	Port      uint16    `json:"port"`
	UID       int       `json:"uid"`
	Resources Resources `json:"resources"`
}

// Thresholds say when an alert fires. Memory, Disk and Full are percentages, Certificate is in days.
type Thresholds struct {
	Memory      int    `json:"memory"`
	Disk        int    `json:"disk"`
	Full        int    `json:"full"`
	Certificate int    `json:"certificate"`
	Silence     string `json:"silence"`
}

// Alerts says who is told.
type Alerts struct {
	Image     string    `json:"image"`
	Path      string    `json:"path"`
	Port      uint16    `json:"port"`
	Webhook   *Webhook  `json:"webhook,omitempty"`
	Email     *Email    `json:"email,omitempty"`
	Watchdog  *Watchdog `json:"watchdog,omitempty"`
	UID       int       `json:"uid"`
	Resources Resources `json:"resources"`
}

// Watchdog is a URL that is pinged while the monitoring is well; the URL is a secret. Every is in Prometheus' notation.
type Watchdog struct {
	Revision int    `json:"revision"`
	Every    string `json:"every"`
}

// Webhook is an HTTP endpoint that alerts are sent to.
type Webhook struct {
	URL string `json:"url"`
}

// Email is a receiver of alerts. User is empty when the smarthost wants no login.
type Email struct {
	To        string `json:"to"`
	From      string `json:"from"`
	Smarthost string `json:"smarthost"`
	User      string `json:"user,omitempty"`
	Revision  int    `json:"revision"`
}

// NFS is a directory of one node that all nodes can mount, read-only, and shares beside it.
type NFS struct {
	Server     string    `json:"server"`
	Path       string    `json:"path"`
	Filesystem string    `json:"filesystem"` // "any" or "own"
	Versions   string    `json:"versions"`   // "4" or "3+4"
	Shares     NFSShares `json:"shares"`
	Ports      NFSPorts  `json:"ports"`
	Nobody     Owner     `json:"nobody"`
}

// NFSShare is a directory of the same node for applications on any node.
type NFSShare struct {
	Name       string `json:"-"`
	Path       string `json:"path"`
	Filesystem string `json:"filesystem"` // "any" or "own"
	Mode       string `json:"mode"`       // "read-only" or "read-write"
	Owner      Owner  `json:"owner"`
	Squash     string `json:"squash"` // "all": whoever writes is the owner; "none": users stay who they are
	Why        string `json:"why,omitempty"`
}

// Writes reports whether applications write into the share.
func (s NFSShare) Writes() bool { return s.Mode == "read-write" }

// Access is how mounts and exports say that: "rw", or "ro".
func (s NFSShare) Access() string {
	if s.Writes() {
		return "rw"
	}
	return "ro"
}

// Owner is a user and a group by number, as files have them.
type Owner struct {
	UID int `json:"uid"`
	GID int `json:"gid"`
}

// NFSPorts are pinned in nfs.conf.d.
type NFSPorts struct {
	Rpcbind       uint16 `json:"rpcbind"`
	NFS           uint16 `json:"nfs"`
	Mountd        uint16 `json:"mountd"`
	Lockd         uint16 `json:"lockd"`
	Statd         uint16 `json:"statd"`
	StatdOutgoing uint16 `json:"statdOutgoing"`
}

// S3 is object storage on one node's disk. Host is empty when S3 has only a port.
type S3 struct {
	Server       string    `json:"server"` // "versitygw" or "minio"
	Image        string    `json:"image"`
	Node         string    `json:"node"`
	Path         string    `json:"path"`
	Filesystem   string    `json:"filesystem"` // "any" or "own"
	Port         uint16    `json:"port"`
	Host         string    `json:"host,omitempty"`
	Revision     int       `json:"revision"`
	User         S3User    `json:"user"`
	Region       string    `json:"region"`
	UID          int       `json:"uid"`
	GID          int       `json:"gid"`
	InternalPort uint16    `json:"internalPort"`
	AdminPort    uint16    `json:"adminPort"`
	Resources    Resources `json:"resources"`
}

// S3User is whoever uses the storage, beside root; MinIO has none.
type S3User struct {
	Name     string `json:"name"`
	Revision int    `json:"revision"`
}
