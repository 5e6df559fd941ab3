//go:build !linux

package firewall

// burst is frames to send from one interface.
type burst struct {
	Device string
	To     string
	Frames [][]byte
}

// injectAgent never runs: without network namespaces the tests do not get there.
func injectAgent() {}

// waitRawAgent never runs either.
func waitRawAgent() {}
