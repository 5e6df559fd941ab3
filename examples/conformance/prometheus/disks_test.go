package prometheus

import (
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"
)

// The alerts about the disks of NFS and S3, for what node-exporter may say: free percentages by mount point.
func TestDisks(t *testing.T) {
	type disks map[string]float64
	for _, test := range []struct {
		example, node string
		free          disks
		silent        bool // node-exporter does not answer
		want          []string
	}{
		// services.nfs.filesystem: "any"
		{example: "target", node: "m1", free: disks{"/": 90}},
		{example: "target", node: "m1", free: disks{"/": 10}, want: []string{"ShareFull /"}},
		{example: "target", node: "m1", free: disks{"/": 10, "/nfs-root": 90}},
		{example: "target", node: "m1", free: disks{"/": 90, "/nfs-root": 10}, want: []string{"ShareFull /nfs-root"}},
		{example: "target", node: "m1", free: disks{"/": 10, "/nfs-root": 10}, want: []string{"ShareFull /nfs-root"}},
		{example: "target", node: "w1", free: disks{"/": 10}},
		// services.nfs.filesystem: "own"
		{example: "production", node: "w2", free: disks{"/": 10, "/nfs-root": 90}},
		{example: "production", node: "w2", free: disks{"/": 90, "/nfs-root": 10}, want: []string{"ShareFull /nfs-root"}},
		{example: "production", node: "w2", free: disks{"/": 10}, want: []string{"ShareUnmounted /nfs-root"}},
		{example: "production", node: "w2", silent: true},
		// services.nfs.shares.shop.filesystem: "own", too, and that of tools "any"
		{example: "everything", node: "w1", free: disks{"/": 90, "/srv/share": 90, "/srv/shop": 10}},
		{example: "everything", node: "w1", free: disks{"/": 90, "/srv/share": 90}, want: []string{"ShareUnmounted /srv/shop"}},
		{example: "everything", node: "w1", free: disks{"/": 90, "/srv/shop": 90}, want: []string{"ShareUnmounted /srv/share"}},
		{example: "everything", node: "w1", free: disks{"/": 90}, want: []string{"ShareUnmounted /srv/share", "ShareUnmounted /srv/shop"}},
		{example: "everything", node: "w1", silent: true},
	} {
		up := 1.0
		if test.silent {
			up = 0
		}
		have := series{sample("up", up, "job", "node-exporter", "node", test.node)}
		for mountpoint, free := range test.free {
			at := []string{"node", test.node, "fstype", "ext4", "mountpoint", mountpoint}
			have = append(have, sample("node_filesystem_avail_bytes", free, at...), sample("node_filesystem_size_bytes", 100, at...))
		}
		var fired []string
		for _, name := range []string{"ShareFull", "ShareUnmounted"} {
			for _, s := range ask(t, have, expression(t, test.example, name)) {
				fired = append(fired, name+" "+s.Metric.Get("mountpoint"))
			}
		}
		if !slices.Equal(fired, test.want) {
			t.Errorf("%s, %s with %v: %q, want %q", test.example, test.node, test.free, fired, test.want)
		}
	}
}

// expression is that of an alert, or one that finds nothing where the example has no such alert.
func expression(t *testing.T, example, name string) string {
	t.Helper()
	path := filepath.Join("..", "..", example, "bundle", "stacks", "monitoring", "rules.yaml")
	groups, errs := rulefmt.ParseFile(path, false, model.UTF8Validation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	for _, g := range groups.Groups {
		for _, r := range g.Rules {
			if r.Alert == name {
				return r.Expr
			}
		}
	}
	return "no_such_metric"
}

// ask evaluates an expression over series that stay as they are.
func ask(t *testing.T, have series, expr string) promql.Vector {
	t.Helper()
	engine := promql.NewEngine(promql.EngineOpts{MaxSamples: 10_000, Timeout: time.Minute, Parser: parser.NewParser(parser.Options{})})
	defer engine.Close()
	q, err := engine.NewInstantQuery(t.Context(), have, nil, expr, time.Unix(60, 0))
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	r := q.Exec(t.Context())
	v, err := r.Vector()
	if err != nil {
		t.Fatalf("%s: %v", expr, err)
	}
	return slices.Clone(v)
}

// series are metrics of one sample each.
type series []*storage.SeriesEntry

func sample(name string, value float64, pairs ...string) *storage.SeriesEntry {
	l := labels.FromStrings(append([]string{"__name__", name}, pairs...)...)
	return storage.NewListSeries(l, []chunks.Sample{float(value)})
}

// Querier returns what matches.
func (s series) Querier(int64, int64) (storage.Querier, error) {
	return &storage.MockQuerier{SelectMockFunction: func(_ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
		var found series
		for _, e := range s {
			if !slices.ContainsFunc(matchers, func(m *labels.Matcher) bool { return !m.Matches(e.Lset.Get(m.Name)) }) {
				found = append(found, e)
			}
		}
		slices.SortFunc(found, func(a, b *storage.SeriesEntry) int { return strings.Compare(a.Lset.String(), b.Lset.String()) })
		return &set{series: found, at: -1}
	}}, nil
}

type set struct {
	series series
	at     int
}

func (s *set) Next() bool                      { s.at++; return s.at < len(s.series) }
func (s *set) At() storage.Series              { return s.series[s.at] }
func (*set) Err() error                        { return nil }
func (*set) Warnings() annotations.Annotations { return nil }

// float is a sample of the time that is asked for.
type float float64

func (float) T() int64                      { return time.Unix(60, 0).UnixMilli() }
func (float) ST() int64                     { return 0 }
func (f float) F() float64                  { return float64(f) }
func (float) H() *histogram.Histogram       { return nil }
func (float) FH() *histogram.FloatHistogram { return nil }
func (float) Type() chunkenc.ValueType      { return chunkenc.ValFloat }
func (f float) Copy() chunks.Sample         { return f }
