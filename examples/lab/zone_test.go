package lab

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// within runs f in the network namespace of a zone or a node: sockets that f makes belong there for good.
func within(place string, f func() error) error {
	done := make(chan error)
	go func() {
		// The thread is never unlocked: it ends with the goroutine, and no other work meets its namespace.
		runtime.LockOSThread()
		done <- func() error {
			ns, err := os.Open("/run/netns/skep-" + place)
			if err != nil {
				return err
			}
			defer ns.Close()
			if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
				return fmt.Errorf("setns %s: %w", place, err)
			}
			return f()
		}()
	}()
	return <-done
}

// dial connects from a zone or a node to an address.
func dial(place, network, address string, patience time.Duration) (conn net.Conn, err error) {
	err = within(place, func() error {
		conn, err = net.DialTimeout(network, address, patient(patience))
		return err
	})
	return conn, err
}

// passes says whether packets get through to a TCP port: an answer, be it a refusal, or silence.
func passes(place, address string, patience time.Duration) (bool, error) {
	conn, err := dial(place, "tcp", address, patience)
	switch {
	case err == nil:
		return true, conn.Close()
	case errors.Is(err, syscall.ECONNREFUSED):
		return true, nil
	case errors.Is(err, os.ErrDeadlineExceeded) || os.IsTimeout(err):
		return false, nil
	}
	return false, err
}

// echoes says whether a UDP port answers; silence is what a filter leaves.
func echoes(place, address string, patience time.Duration) (bool, error) {
	conn, err := dial(place, "udp", address, patience)
	if err != nil {
		return false, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patient(patience))); err != nil {
		return false, err
	}
	if _, err := conn.Write([]byte("skep")); err != nil {
		return false, err
	}
	_, err = conn.Read(make([]byte, 16))
	if os.IsTimeout(err) {
		return false, nil
	}
	return err == nil, err
}

// echo answers UDP packets to a port of a node until the test ends.
func echo(t *testing.T, node, address string) {
	t.Helper()
	var conn net.PacketConn
	err := within(node, func() (err error) {
		conn, err = net.ListenPacket("udp", address)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		buffer := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			// An answer that does not arrive is what the test looks for.
			_, _ = conn.WriteTo(buffer[:n], from)
		}
	}()
}

// listen accepts TCP connections at an address of a zone, and tells who came.
func listen(t *testing.T, place, address string) <-chan net.Addr {
	t.Helper()
	var listener net.Listener
	err := within(place, func() (err error) {
		listener, err = net.Listen("tcp", address)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	callers := make(chan net.Addr, 16)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			callers <- conn.RemoteAddr()
			conn.Close()
		}
	}()
	return callers
}

// browser is a client in a zone that finds every host name at one address and trusts one authority.
func browser(place, address string, authority []byte, identity ...tls.Certificate) *http.Client {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(authority)
	return &http.Client{
		Timeout:       patient(20 * time.Second),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DisableKeepAlives: true,
			TLSClientConfig:   &tls.Config{RootCAs: pool, Certificates: identity},
			DialContext: func(_ context.Context, network, to string) (net.Conn, error) {
				_, port, err := net.SplitHostPort(to)
				if err != nil {
					return nil, err
				}
				return dial(place, network, net.JoinHostPort(address, port), 5*time.Second)
			},
		},
	}
}

// mustZone runs a command in a network namespace of the lab.
func mustZone(t *testing.T, place, command string) {
	t.Helper()
	if out, err := exec.Command("ip", append([]string{"netns", "exec", "skep-" + place}, strings.Fields(command)...)...).CombinedOutput(); err != nil {
		t.Errorf("%s: %s: %v\n%s", place, command, err, out)
	}
}
