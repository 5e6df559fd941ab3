package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	"skep.dev/schema/spec"
)

func TestLimits(t *testing.T) {
	forever := make(chan struct{})
	defer close(forever)
	for want, most := range map[string]limits{
		"takes more than 1e-09 seconds":  {time: 1, memory: 1 << 40},
		"takes more than 0 MB of memory": {time: time.Minute, memory: 1},
	} {
		_, err := within(most, "big", func() (loaded, error) {
			<-forever
			return loaded{}, nil
		})
		var input *spec.InputError
		if !errors.As(err, &input) || !strings.Contains(err.Error(), "big: "+want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
