package lab

import "testing"

// silences cuts each node off for a while, as a switch does that starts anew: short enough for nobody to give it up, and
// long enough for its tasks to be started elsewhere. Then every name and every port is there again, from everywhere: engines
// 29.0 to 29.7.2 had names lost for hours (moby#53141).
func silences(t *testing.T, l *lab) {
	t.Run("before", func(t *testing.T) { everyName(t, l) })
	for _, c := range []struct{ node, seconds string }{{"w1", "10"}, {"w2", "20"}, {"m1", "30"}} {
		t.Run(c.node+" for "+c.seconds+" s", func(t *testing.T) {
			l.do(t, "silence", c.node, c.seconds)
			l.ready(t, c.node)
			l.whole(t)
			everyName(t, l)
		})
	}
	targets(t, l)
	pages(t, l)
}
