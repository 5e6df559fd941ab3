// Command standin plays a program that the lab cannot have: it answers every request with what it is, as a comment in
// the format of Prometheus, and how much was sent to it, so that health checks and scrapes succeed and nobody takes it for the real one.
//
//	standin NAME ADDRESS
package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"time"
)

func main() {
	if len(os.Args) < 3 {
		log.Fatal("usage: standin NAME ADDRESS")
	}
	text := fmt.Sprintf("# stand-in for %s: it answers and does nothing else\n", os.Args[1])
	server := http.Server{
		Addr:              os.Args[2],
		ReadHeaderTimeout: 10 * time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			n, err := io.Copy(io.Discard, r.Body)
			if err != nil {
				log.Printf("%s %s: after %d bytes: %v", r.Method, r.URL, n, err)
				return
			}
			w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
			fmt.Fprint(w, text)
			if n > 0 {
				fmt.Fprintf(w, "# %d bytes came\n", n)
			}
		}),
	}
	log.Print(text)
	log.Fatal(server.ListenAndServe())
}
