package lab

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// pace is how often each visitor connects, and lost after how long a connection counts as refused; both on a quick machine.
const pace, lost = 200 * time.Millisecond, time.Second

// sshPort has a process for each connection, and turns away the operator too when ten at once have not logged in
// (MaxStartups of sshd_config(5)): its visitors come ten times less often.
const sshPort = 22

// visitor is somebody in a zone or on a node who goes on using one port of a node.
type visitor struct {
	probe
	tries, failures int
	down            time.Duration // the longest time without a connection
	last            error
}

// crowd is all visitors at work.
type crowd struct {
	visitors []*visitor
	quit     chan struct{}
	once     sync.Once
	wait     sync.WaitGroup
	broken   chan error // connections that had to stay
}

// used are the ports of the rows where somebody listens, from each place that they are open to.
func (l *lab) used(t *testing.T, matrix []row) []probe {
	t.Helper()
	return slices.DeleteFunc(l.probes(t, "tcp", ports(matrix)), func(p probe) bool {
		// The applications' ranges have hundreds of equal ports.
		return !allowed(matrix, p) || p.port > 30001 && p.port != 32768
	})
}

// crowd sets a visitor at work for each of the ports.
func (l *lab) crowd(t *testing.T, used []probe, pace time.Duration) *crowd {
	t.Helper()
	c := &crowd{quit: make(chan struct{}), broken: make(chan error, 16)}
	t.Cleanup(c.stop)
	for _, p := range used {
		c.visitors = append(c.visitors, &visitor{probe: p})
	}
	for _, one := range c.visitors {
		pace := patient(pace)
		if one.port == sshPort {
			pace *= 10
		}
		c.wait.Go(func() { one.work(net.JoinHostPort(l.address(t, one.to), strconv.Itoa(one.port)), pace, c.quit) })
	}
	return c
}

// visitors are such a crowd, and some connections that stay in use.
func (l *lab) visitors(t *testing.T, matrix []row) *crowd {
	t.Helper()
	c := l.crowd(t, l.used(t, matrix), pace)
	nuvla := browser("nuvla", l.address(t, "m1"), l.operatorFile(t, "certs", "ca.pem"), l.identity(t, "clients/nuvla", "cert.pem"))
	nuvla.Transport.(*http.Transport).DisableKeepAlives = false
	c.stay(t, "the Docker API from nuvla", func() error { return answer(nuvla, "https://"+l.address(t, "m1")+":2376/_ping") })
	prometheus := browser("w1", l.address(t, "m1"), nil)
	prometheus.Transport.(*http.Transport).DisableKeepAlives = false
	c.stay(t, "metrics of m1 from w1", func() error { return answer(prometheus, "http://"+l.address(t, "m1")+":9323/metrics") })
	nfs, err := dial("w1", "tcp", l.address(t, "m1")+":2049", 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nfs.Close() })
	c.stay(t, "NFS of m1 from w1", func() error { return nfsPing(nfs) })
	return c
}

// work connects again and again.
func (c *visitor) work(address string, pace time.Duration, quit <-chan struct{}) {
	tick := time.NewTicker(pace)
	defer tick.Stop()
	good := time.Now()
	listens := true
	_ = within(c.from, func() error {
		for {
			conn, err := net.DialTimeout("tcp", address, patient(lost))
			var refusal bool
			if err == nil {
				conn.Close()
			} else {
				refusal = errors.Is(err, syscall.ECONNREFUSED)
			}
			switch {
			case c.tries == 0 && refusal:
				listens = false // nobody is there, and the packet got through
				good = time.Now()
			case err == nil, refusal && !listens:
				good = time.Now()
			default:
				c.failures++
				c.last = err
				c.down = max(c.down, time.Since(good))
			}
			c.tries++
			select {
			case <-quit:
				return nil
			case <-tick.C:
			}
		}
	})
}

// stay keeps using one connection; the first time that it does not answer ends it.
func (c *crowd) stay(t *testing.T, name string, use func() error) {
	t.Helper()
	if err := use(); err != nil && !errors.Is(err, errFresh) {
		t.Fatalf("%s: %v", name, err)
	}
	c.wait.Go(func() {
		tick := time.NewTicker(patient(pace))
		defer tick.Stop()
		for {
			select {
			case <-c.quit:
				return
			case <-tick.C:
			}
			if err := use(); err != nil {
				c.broken <- fmt.Errorf("%s: %w", name, err)
				return
			}
		}
	})
}

// end stops all, and reports who was refused, but for the ports that may be closed for a moment.
func (c *crowd) end(t *testing.T, moments []int) {
	t.Helper()
	c.stop()
	close(c.broken)
	for err := range c.broken {
		t.Errorf("a connection did not stay: %v", err)
	}
	refused := 0
	for _, one := range c.visitors {
		if one.failures == 0 {
			continue
		}
		refused += one.failures
		text := fmt.Sprintf("%s -> %s %d: %d of %d refused, down for %v: %v", one.from, one.to, one.port, one.failures, one.tries, one.down.Round(time.Millisecond), one.last)
		if slices.Contains(moments, one.port) {
			t.Log(text)
		} else {
			t.Error(text)
		}
	}
	t.Logf("%d visitors, %d connections refused", len(c.visitors), refused)
}

// stop has the visitors go home.
func (c *crowd) stop() {
	c.once.Do(func() { close(c.quit) })
	c.wait.Wait()
}

// worst tells of each port that was refused, and for how long at most.
func (c *crowd) worst() string {
	down := map[int]time.Duration{}
	for _, one := range c.visitors {
		if one.failures > 0 {
			down[one.port] = max(down[one.port], one.down)
		}
	}
	var out []string
	for _, port := range slices.Sorted(maps.Keys(down)) {
		out = append(out, fmt.Sprintf("%d down for %v", port, down[port].Round(time.Millisecond)))
	}
	if len(out) == 0 {
		return "nothing refused"
	}
	return strings.Join(out, ", ")
}

func (c *crowd) tried() int {
	sum := 0
	for _, one := range c.visitors {
		sum += one.tries
	}
	return sum
}

// errFresh says that the connection is not the one of the last time.
var errFresh = errors.New("a new connection was made")

// answer asks for a page, over the connection that there is.
func answer(client *http.Client, url string) error {
	fresh := false
	trace := &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) { fresh = !info.Reused }}
	request, err := http.NewRequestWithContext(httptrace.WithClientTrace(context.Background(), trace), http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if fresh {
		return errFresh
	}
	return nil
}

// nfsPing calls the procedure of an NFS server that does nothing.
func nfsPing(conn net.Conn) error {
	if err := conn.SetDeadline(time.Now().Add(patient(5 * time.Second))); err != nil {
		return err
	}
	// The record's length; a call of version 2 of RPC to program 100003, version 4, procedure 0; no credentials.
	call := binary.BigEndian.AppendUint32(nil, 1<<31|40)
	for _, word := range []uint32{0x736b6570, 0, 2, 100003, 4, 0, 0, 0, 0, 0} {
		call = binary.BigEndian.AppendUint32(call, word)
	}
	if _, err := conn.Write(call); err != nil {
		return err
	}
	answer := bufio.NewReader(conn)
	length := make([]byte, 4)
	if _, err := io.ReadFull(answer, length); err != nil {
		return err
	}
	_, err := io.CopyN(io.Discard, answer, int64(binary.BigEndian.Uint32(length)&^(1<<31)))
	return err
}

func sum(text string) string {
	s := sha256.Sum256([]byte(text))
	return hex.EncodeToString(s[:])
}
