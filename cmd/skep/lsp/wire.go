package lsp

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// message is one of JSON-RPC 2.0: a request or a notification with a method, or an answer.
type message struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id,omitempty"`
	Method  string          `json:"method,omitempty"`
	Params  json.RawMessage `json:"params,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   *failure        `json:"error,omitempty"`
}

// failure is why a request has no result.
type failure struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// Codes of failures, of JSON-RPC and the protocol.
const (
	parseError     = -32700
	unknownMethod  = -32601
	invalidParams  = -32602
	notInitialized = -32002
	invalidRequest = -32600
)

// largest is how much one message may hold, in bytes.
const largest = 64 << 20

// readMessage reads the body of a message: lines of a header, one of which tells its length, an empty line, and the body.
func readMessage(r *bufio.Reader) ([]byte, error) {
	size := -1
	for first := true; ; first = false {
		line, err := r.ReadSlice('\n')
		if first && err == io.EOF && len(line) == 0 {
			return nil, io.EOF
		}
		if err != nil {
			return nil, fmt.Errorf("stdin: a message's header: %w", unexpected(err))
		}
		name, value, named := strings.Cut(strings.TrimRight(string(line), "\r\n"), ":")
		if name == "" && !named {
			break
		}
		if strings.EqualFold(name, "Content-Length") {
			if size, err = strconv.Atoi(strings.TrimSpace(value)); err != nil || size < 0 || size > largest {
				return nil, fmt.Errorf("stdin: Content-Length: %q: want a number of bytes, at most %d", strings.TrimSpace(value), largest)
			}
		}
	}
	if size < 0 {
		return nil, fmt.Errorf("stdin: a message without Content-Length; skep lsp is for editors")
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(r, body); err != nil {
		return nil, fmt.Errorf("stdin: a message: %w", unexpected(err))
	}
	return body, nil
}

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// writeMessage writes a message in one piece.
func writeMessage(w io.Writer, m message) error {
	m.Version = "2.0"
	body, err := json.Marshal(m)
	if err != nil {
		return err
	}
	_, err = w.Write(fmt.Appendf(nil, "Content-Length: %d\r\n\r\n%s", len(body), body))
	return err
}
