package stack

import (
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	composetypes "github.com/compose-spec/compose-go/v2/types"
	"github.com/docker/cli/cli/compose/loader"
	"github.com/docker/cli/cli/compose/types"

	"skep.dev/generators/stack/dialect"
	"skep.dev/schema"
)

// odd are texts that a YAML file, a loader of variables or a shorter spelling is tempted to change.
var odd = []string{
	"\n  a\n  b\n", "  a\nb\n", "\n\n a\n", "\ta\nb", "\n  a\n b\n", "a\n\n", "a\n \n", "\n", " ", "a\r\nb", "\u2028a\nb", "\u0085\n",
	"a: b\n# c", "# c", "- a", "a #b", "on", "y", "1:30", "0x10", "0440", "440", "1_000", "1e3", ".5", ".inf", "2001-01-01", "~", "null", "<<", "=",
	"1m0s", "2h0m0s", "512M", "$HOME", "${A:-b}", "$$", "a$", "{{.Node.Hostname}}", "{{.Task.Slot}}$", "\ufeffa\nb", "'", "\"", "\\", "%", "!a", "&a", "*a", "|", ">",
	"é\u0301", "\U0001f41d", "[a, b]", "{a: b}", "a:b", "/x/", "",
}

// FuzzBytes: every text that a service has reaches the engine as it is.
func FuzzBytes(f *testing.F) {
	for i, text := range odd {
		f.Add(text, uint16(i*1000+1), int64(i), uint32(i*37))
	}
	f.Fuzz(func(t *testing.T, text string, port uint16, number int64, mode uint32) {
		if !utf8.ValidString(text) || port == 0 {
			return
		}
		key, path := text+"k", "/"+text // neither may be empty, and a path that is not absolute is the loader's to complete
		files := composetypes.FileMode(mode % 0o10000)
		duration := composetypes.Duration(number % 1e15)
		var s composetypes.ServiceConfig
		s.Image, s.Hostname, s.User, s.WorkingDir = text, text, text, text
		s.Command, s.Entrypoint = composetypes.ShellCommand{"sh", text}, composetypes.ShellCommand{text}
		s.Environment = composetypes.MappingWithEquals{"TEXT": &text}
		s.Labels = composetypes.Labels{key: text}
		s.Deploy = &composetypes.DeployConfig{Labels: composetypes.Labels{key: text}}
		s.Deploy.Placement.Constraints = []string{text}
		s.HealthCheck = &composetypes.HealthCheckConfig{Test: composetypes.HealthCheckTest{"CMD", text}, Interval: &duration}
		s.Logging = &composetypes.LoggingConfig{Driver: text, Options: composetypes.Options{key: text}}
		s.Ports = []composetypes.ServicePortConfig{{Target: uint32(port), Published: "8080", Protocol: "udp", Mode: "host"}}
		s.Volumes = []composetypes.ServiceVolumeConfig{
			{Type: "bind", Source: path, Target: text, ReadOnly: true},
			{Type: "volume", Source: "data", Target: text},
		}
		s.Secrets = []composetypes.ServiceSecretConfig{{Source: "s", Target: text, UID: text, Mode: &files}}
		p := &composetypes.Project{
			Services: composetypes.Services{"web": s},
			Volumes:  composetypes.Volumes{"data": {Name: text, DriverOpts: composetypes.Options{key: text}}},
			Secrets:  composetypes.Secrets{"s": {Name: "given", External: true}},
		}
		data, err := dialect.Write(p, dialect.Options{Engine: schema.ParseVersion("20.10")})
		if err != nil {
			t.Fatal(err)
		}
		got := read(t, data)
		web := got.Services[0]
		for what, have := range map[string]string{
			"image": web.Image, "hostname": web.Hostname, "user": web.User, "working_dir": web.WorkingDir,
			"command": web.Command[1], "entrypoint": web.Entrypoint[0], "environment": *web.Environment["TEXT"],
			"labels": web.Labels[key], "deploy.labels": web.Deploy.Labels[key], "constraints": web.Deploy.Placement.Constraints[0],
			"healthcheck": web.HealthCheck.Test[1], "logging": web.Logging.Options[key], "logging.driver": web.Logging.Driver,
			"bind": web.Volumes[0].Target, "volume": web.Volumes[1].Target, "source": strings.TrimPrefix(web.Volumes[0].Source, "/"),
			"secret": web.Secrets[0].Target, "secret.uid": web.Secrets[0].UID, "volumes": got.Volumes["data"].DriverOpts[key],
		} {
			if have != text {
				t.Errorf("%s: %q became %q\n%s", what, text, have, data)
			}
		}
		if n := len(web.Labels) + len(web.Deploy.Labels) + len(web.Logging.Options) + len(web.Volumes); n != 5 {
			t.Errorf("%d labels, options and mounts, want 5:\n%s", n, data)
		}
		if p := web.Ports[0]; p != (types.ServicePortConfig{Mode: "host", Target: uint32(port), Published: 8080, Protocol: "udp"}) {
			t.Errorf("port %+v", p)
		}
		if m := *web.Secrets[0].Mode; m != uint32(files) {
			t.Errorf("mode %o became %o\n%s", files, m, data)
		}
		if d := *web.HealthCheck.Interval; int64(d) != int64(duration) {
			t.Errorf("interval %v became %v\n%s", duration, d, data)
		}
	})
}

// read loads a stack file as docker stack deploy does, in an environment without variables.
func read(t *testing.T, data []byte) *types.Config {
	t.Helper()
	raw, err := loader.ParseYAML(data)
	if err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	config, err := loader.Load(types.ConfigDetails{
		WorkingDir:  filepath.FromSlash("/"),
		ConfigFiles: []types.ConfigFile{{Filename: "compose.yaml", Config: raw}},
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	return config
}
