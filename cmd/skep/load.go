package main

import (
	"fmt"
	"io/fs"
	"runtime/metrics"
	"time"

	"skep.dev/schema"
	"skep.dev/schema/spec"
	"skep.dev/schema/written"
)

// loaded is a cluster, and the spec that it comes from.
type loaded struct {
	*schema.Cluster
	spec *written.Spec
}

// fieldOf is the field of the spec that decides an exposure.
func (l loaded) fieldOf(e schema.Exposure) string { return l.FieldOf(e, l.spec.Has) }

// load reads a spec within what one process may cost.
func load(path string) (loaded, error) {
	return within(ample(), path, func() (loaded, error) {
		c, s, err := spec.Load(path)
		return loaded{c, s}, err
	})
}

// loadUnlocked is load for a spec whose lock may not fit any more.
func loadUnlocked(path string) (loaded, error) {
	return within(ample(), path, func() (loaded, error) {
		c, s, err := spec.LoadUnlocked(path)
		return loaded{c, s}, err
	})
}

// loadText is load for a text that stands for a file.
func loadText(path string, text []byte) (loaded, error) {
	return within(ample(), path, func() (loaded, error) {
		c, s, err := spec.LoadText(path, text)
		return loaded{c, s}, err
	})
}

// loadFS is load for a spec in a file system.
func loadFS(fsys fs.FS, name string) (loaded, error) {
	return within(ample(), name, func() (loaded, error) {
		c, s, err := spec.LoadFS(fsys, name, spec.DefaultLimits())
		return loaded{c, s}, err
	})
}

// limits bound what the process may cost while it evaluates a spec.
type limits struct {
	time   time.Duration
	memory uint64 // bytes of heap
}

// ample is enough for 10,000 nodes, which take some seconds and half a gigabyte.
func ample() limits { return limits{time: time.Minute, memory: 2 << 30} }

// deepest is the size of stacks that no sensible spec comes near. At 1 GB the runtime would kill the process.
const deepest = 128 << 20

// within runs an evaluation and gives up on it at a limit. CUE evaluates without a context.Context (it has none to offer),
// so the work is left to itself then: the process ends soon.
func within(most limits, name string, work func() (loaded, error)) (loaded, error) {
	type result struct {
		loaded
		err error
	}
	done := make(chan result, 1)
	go func() {
		l, err := work()
		done <- result{l, err}
	}()

	deadline := time.NewTimer(most.time)
	defer deadline.Stop()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	used := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"}}
	for {
		select {
		case r := <-done:
			return r.loaded, r.err
		case <-deadline.C:
			return loaded{}, tooMuch(name, fmt.Sprintf("%g seconds", most.time.Seconds()))
		case <-look.C:
			metrics.Read(used)
			heap, stack := used[0].Value.Uint64(), used[1].Value.Uint64()
			if heap > most.memory {
				return loaded{}, tooMuch(name, fmt.Sprintf("%d MB of memory", most.memory>>20))
			}
			if stack > deepest {
				return loaded{}, &spec.InputError{Path: name, Text: "is nested too deeply to evaluate; look for a definition that contains itself"}
			}
		}
	}
}

func tooMuch(name, what string) error {
	return &spec.InputError{Path: name, Text: "takes more than " + what + " to evaluate; look for a loop over a large range, or list the nodes as plain fields"}
}
