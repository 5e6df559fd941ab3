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
	used := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"}}
	for {
		select {
		case r := <-done:
			return r.cluster, r.err
		case <-deadline.C:
			return nil, tooMuch(spec, fmt.Sprintf("%g seconds", limits.Time.Seconds()))
		case <-look.C:
			metrics.Read(used)
			heap, stack := used[0].Value.Uint64(), used[1].Value.Uint64()
			if heap > limits.Memory {
				return nil, tooMuch(spec, fmt.Sprintf("%d MB of memory", limits.Memory>>20))
			}
			if stack > deepest {
				return nil, &InputError{Path: spec, Text: "is nested too deeply to evaluate; look for a definition that contains itself"}
			}
		}
	}
}

// deepest is the size of stacks that no sensible spec comes near. At 1 GB the runtime would kill the process.
const deepest = 128 << 20

func tooMuch(spec, what string) error {
	return &InputError{Path: spec, Text: "takes more than " + what + " to evaluate; look for a loop over a large range, or list the nodes as plain fields"}
}
