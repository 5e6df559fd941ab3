package lab

import (
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
)

// identity reads a certificate of the runbook's state directory, such as clients/nuvla and cert.
func (l *lab) identity(t *testing.T, dir, name string) tls.Certificate {
	t.Helper()
	key := "key.pem"
	if name == "server-cert.pem" {
		key = "server-key.pem"
	}
	c, err := tls.X509KeyPair(l.operatorFile(t, "certs", dir, name), l.operatorFile(t, "certs", dir, key))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// api asks the Docker engine as Nuvla does, and as nobody should.
func api(t *testing.T, l *lab) {
	const url = "https://lab.example.org:2376/info"
	authority, address := l.operatorFile(t, "certs", "ca.pem"), l.address(t, "m1")
	nuvla := l.identity(t, "clients/nuvla", "cert.pem")
	for _, zone := range []string{"nuvla", "management"} {
		response, err := browser(zone, address, authority, nuvla).Get(url)
		if err != nil {
			t.Errorf("%s with a client certificate: %v", zone, err)
			continue
		}
		var info struct {
			Name  string
			Swarm struct{ Managers, Nodes int }
		}
		err = json.NewDecoder(response.Body).Decode(&info)
		response.Body.Close()
		if err != nil || info.Name != "m1" || info.Swarm.Managers != 1 || info.Swarm.Nodes != 3 {
			t.Errorf("%s: %v: %+v", zone, err, info)
		}
	}
	// By the address too: Nuvla knows no names.
	if response, err := browser("nuvla", address, authority, nuvla).Get("https://" + address + ":2376/_ping"); err != nil {
		t.Error(err)
	} else {
		response.Body.Close()
	}
	refused(t, "no certificate", browser("nuvla", address, authority), url, "certificate required", "bad certificate")
	refused(t, "the server's certificate", browser("nuvla", address, authority, l.identity(t, "servers/m1", "server-cert.pem")), url, "bad certificate", "unsupported certificate")
	refused(t, "in clear", browser("nuvla", address, authority, nuvla), strings.Replace(url, "https", "http", 1), "")
	for _, place := range []string{"users", "neighbour", "w1"} {
		refused(t, place, browser(place, address, authority, nuvla), url, "i/o timeout")
	}
}

// refused wants a request to fail with one of the texts, or to be answered with an error.
func refused(t *testing.T, who string, client *http.Client, url string, texts ...string) {
	t.Helper()
	response, err := client.Get(url)
	if err == nil {
		response.Body.Close()
		if response.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %s", who, response.Status)
		}
		return
	}
	for _, text := range texts {
		if strings.Contains(err.Error(), text) {
			return
		}
	}
	t.Errorf("%s: %v, want one of %q", who, err, texts)
}

// page is what a browser gets: the status, where it is sent to, and the text.
func page(t *testing.T, client *http.Client, url, login string) (int, string, string) {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if user, password, ok := strings.Cut(login, ":"); ok {
		request.SetBasicAuth(user, password)
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, "", err.Error()
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header.Get("Location"), string(body)
}
