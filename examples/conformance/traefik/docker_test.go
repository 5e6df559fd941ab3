package traefik

import (
	"encoding/json"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/docker/cli/cli/compose/loader"
)

// swarm answers the questions of Traefik's swarm provider for the services of a stack file: each has one task, on a
// network of the given name, at the given address.
func swarm(t *testing.T, listen, stackFile, network, address string) {
	t.Helper()
	data, err := os.ReadFile(stackFile)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := loader.ParseYAML(data)
	if err != nil {
		t.Fatal(err)
	}
	type object = map[string]any
	var services, tasks []object
	for name, service := range raw["services"].(object) {
		deploy := service.(object)["deploy"].(object)
		services = append(services, object{"ID": name, "Spec": object{
			"Name": name, "Labels": labels(deploy["labels"]),
			"Mode": object{"Replicated": object{"Replicas": 1}}, "EndpointSpec": object{"Mode": "dnsrr"},
		}})
		tasks = append(tasks, object{
			"ID": name + "1", "ServiceID": name, "Slot": 1, "NodeID": "m1", "DesiredState": "running",
			"Status":              object{"State": "running"},
			"NetworksAttachments": []object{{"Network": object{"ID": "net1"}, "Addresses": []string{address + "/24"}}},
		})
	}
	answers := object{
		"/version":  object{"Version": "29.0.0", "ApiVersion": "1.52", "MinAPIVersion": "1.44"},
		"/services": services,
		"/tasks":    tasks,
		"/networks": []object{{"Id": "net1", "Name": network, "Scope": "swarm", "Driver": "overlay"}},
		"/nodes/m1": object{"ID": "m1", "Status": object{"Addr": "10.20.0.11", "State": "ready"}},
	}
	serve(t, listen, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := r.URL.Path
		if strings.HasPrefix(path, "/v1.") {
			path = "/" + strings.SplitN(path, "/", 3)[2]
		}
		w.Header().Set("Api-Version", "1.52")
		if answer, ok := answers[path]; ok {
			w.Header().Set("Content-Type", "application/json")
			if err := json.NewEncoder(w).Encode(answer); err != nil {
				t.Error(err)
			}
		} else if path != "/_ping" {
			http.NotFound(w, r)
		}
	}))
}

// serve answers at an address until the test ends.
func serve(t *testing.T, listen string, h http.Handler) {
	t.Helper()
	l, err := net.Listen("tcp", listen)
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: h}
	go s.Serve(l) //nolint:errcheck // it ends with the test
	t.Cleanup(func() { s.Close() })
}
