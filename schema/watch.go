package schema

import (
	"fmt"
	"runtime/metrics"
	"time"
)

// watched runs load and gives up on it at a limit. CUE evaluates without a context.Context (cue-lang/cue has none to
// offer), so the work is left to itself then, and ends with the process.
func watched(spec string, limits Limits, load func() (*Cluster, error)) (*Cluster, error) {
	type result struct {
		cluster *Cluster
		err     error
	}
	done := make(chan result, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				done <- result{err: &InputError{Path: spec, Text: fmt.Sprintf("schema: the evaluator stopped: %v", p)}}
			}
		}()
		c, err := load()
		done <- result{c, err}
	}()

	deadline := time.NewTimer(limits.Time)
	defer deadline.Stop()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	heap := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	for {
		select {
		case r := <-done:
			return r.cluster, r.err
		case <-deadline.C:
			return nil, &InputError{Path: spec, Text: fmt.Sprintf("takes more than %s to evaluate; look for a loop over a large range, or list the nodes as plain fields", limits.Time)}
		case <-look.C:
			metrics.Read(heap)
			if heap[0].Value.Uint64() > limits.Memory {
				return nil, &InputError{Path: spec, Text: fmt.Sprintf("takes more than %d MB of memory to evaluate; look for a loop over a large range, or list the nodes as plain fields", limits.Memory>>20)}
			}
		}
	}
}
