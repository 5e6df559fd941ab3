package dialect

import (
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"

	"skep.dev/schema"
	"skep.dev/schema/compose/format"
)

// A file has the lowest version that has its keys, and is not written for an engine that does not read them.
func TestEngines(t *testing.T) {
	deploy := func(d types.DeployConfig) func(*types.Project, *types.ServiceConfig) {
		return func(_ *types.Project, s *types.ServiceConfig) { s.Deploy = &d }
	}
	for name, test := range map[string]struct {
		set             func(*types.Project, *types.ServiceConfig)
		engine, version string
		older           string // the newest that does not read it
		where           string
	}{
		"plain":         {func(*types.Project, *types.ServiceConfig) {}, "20.10", "3.8", "", ""},
		"pids":          {deploy(types.DeployConfig{Resources: types.Resources{Limits: &types.Resource{Pids: 7}}}), "20.10", "3.9", "", ""},
		"pids_limit":    {func(_ *types.Project, s *types.ServiceConfig) { s.PidsLimit = 7 }, "20.10", "3.9", "", ""},
		"no pids_limit": {func(_ *types.Project, s *types.ServiceConfig) { s.PidsLimit = -1 }, "20.10", "3.8", "", ""},
		"job":           {deploy(types.DeployConfig{Mode: "replicated-job"}), "23.0", "3.8", "20.10", "service web: deploy.mode"},
		"start_interval": {func(_ *types.Project, s *types.ServiceConfig) {
			s.HealthCheck = &types.HealthCheckConfig{StartInterval: duration(5)}
		}, "25.0", "3.12", "24.0", "service web: healthcheck.start_interval"},
		"oom_score_adj": {func(_ *types.Project, s *types.ServiceConfig) { s.OomScoreAdj = 5 }, "28.0", "3.13", "27.5", "service web: oom_score_adj"},
		"driver_opts": {func(_ *types.Project, s *types.ServiceConfig) {
			s.Networks = map[string]*types.ServiceNetworkConfig{"a": {DriverOpts: types.Options{"k": "v"}}}
		}, "28.0", "3.13", "26.1", "service web: networks.a.driver_opts"},
		"subpath": {func(_ *types.Project, s *types.ServiceConfig) {
			s.Volumes = []types.ServiceVolumeConfig{{Type: "volume", Source: "v", Target: "/v", Volume: &types.ServiceVolumeVolume{Subpath: "a"}}}
		}, "28.0", "3.8", "27.0", "service web: volumes.0"},
		"cluster volume": {func(p *types.Project, s *types.ServiceConfig) {
			p.Volumes = types.Volumes{"v": {Extensions: types.Extensions{format.ClusterSpec: map[string]any{"access_mode": map[string]any{"mount_volume": map[string]any{}}}}}}
			s.Volumes = []types.ServiceVolumeConfig{{Type: "cluster", Source: "v", Target: "/v"}}
		}, "23.0", "3.10", "20.10", "volumes.v.x-cluster-spec"},
	} {
		t.Run(name, func(t *testing.T) {
			var s types.ServiceConfig
			s.Image = "web:1"
			p := project("web", s)
			test.set(p, &s)
			p.Services["web"] = s
			got, err := Write(p, Options{Engine: schema.ParseVersion(test.engine)})
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(got), "version: \""+test.version+"\"\n") {
				t.Errorf("want version %s:\n%s", test.version, got)
			}
			if name == "cluster volume" && !strings.Contains(string(got), "mount_volume: {}\n") {
				t.Errorf("the volume is no mount any more:\n%s", got)
			}
			if test.older == "" {
				return
			}
			want := test.where + ": docker stack deploy reads this from engine " + test.engine + " on, and engine.versions.from is " + test.older
			if _, err := Write(p, Options{Engine: schema.ParseVersion(test.older)}); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %s", err, want)
			}
		})
	}
}
