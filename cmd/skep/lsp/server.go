// Package lsp is a server of the Language Server Protocol: it shows an editor what skep finds in a spec while somebody writes
// it, tells about the field at the cursor, and makes the edits that findings ask for.
//
// One goroutine owns all that the server knows; another one reads, and a third checks one spec at a time.
package lsp

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"skep.dev/schema/finding"
)

// Desk is what the server asks about specs.
type Desk struct {
	// Find gives all that is to be said about a spec, a file or a directory, where some files have another text: by their
	// absolute names. The error is why nothing is known.
	Find func(spec string, texts map[string][]byte) (finding.List, error)
	// Tell explains a field of a spec by its path.
	Tell func(path []string) (string, error)
	// Version of the server.
	Version string
}

// pause is how long nobody must type before a spec is checked.
const pause = 150 * time.Millisecond

// errDone ends a session as the protocol wants it, and ErrUnasked without a request for it before.
var (
	errDone    = errors.New("exit")
	ErrUnasked = errors.New("lsp: the editor ended the session without shutdown")
)

type server struct {
	Desk
	out       io.Writer
	ready     bool // after initialize
	leaving   bool // after shutdown
	documents map[string]*document
	due       map[string]bool // specs that are to be checked
	timer     *time.Timer
	busy      bool
	checked   chan verdict
	shown     map[string]map[string][]told // by spec and file
}

// Serve answers the editor at in and out until the session ends, or in does.
func Serve(in io.Reader, out io.Writer, desk Desk) error {
	s := &server{
		Desk: desk, out: out,
		documents: map[string]*document{}, due: map[string]bool{}, shown: map[string]map[string][]told{},
		timer: time.NewTimer(pause), checked: make(chan verdict, 1),
	}
	defer s.timer.Stop()
	type body struct {
		text []byte
		err  error
	}
	bodies, end := make(chan body), make(chan struct{})
	defer close(end)
	go func() {
		r := bufio.NewReader(in)
		for {
			text, err := readMessage(r)
			select {
			case bodies <- body{text, err}:
			case <-end:
				return
			}
			if err != nil {
				return
			}
		}
	}()
	for {
		var err error
		select {
		case b := <-bodies:
			if err = b.err; err == nil {
				err = s.answer(b.text)
			}
		case <-s.timer.C:
			s.check()
		case v := <-s.checked:
			err = s.conclude(v)
		}
		switch {
		case err == io.EOF || err == errDone:
			return nil
		case err != nil:
			return err
		}
	}
}

// answer does what a message asks for. The error ends the session.
func (s *server) answer(text []byte) error {
	var m message
	if err := json.Unmarshal(text, &m); err != nil {
		return s.fail(json.RawMessage("null"), &failure{parseError, err.Error()})
	}
	switch {
	case m.Method == "exit" && s.leaving:
		return errDone
	case m.Method == "exit":
		return ErrUnasked
	case m.Method == "": // an answer: the server asks for nothing
		return nil
	case m.ID == nil:
		return s.notice(m)
	case m.Method == "initialize":
		s.ready = true
		return s.reply(m.ID, s.introduction())
	case !s.ready:
		return s.fail(m.ID, &failure{notInitialized, "initialize comes first"})
	case s.leaving:
		return s.fail(m.ID, &failure{invalidRequest, "nothing follows shutdown but exit"})
	case m.Method == "shutdown":
		s.leaving = true
		return s.reply(m.ID, nil)
	}
	var p documentParams
	if err := json.Unmarshal(m.Params, &p); err != nil && len(m.Params) > 0 {
		return s.fail(m.ID, &failure{invalidParams, err.Error()})
	}
	switch m.Method {
	case "textDocument/hover":
		if h, ok := s.hover(p); ok {
			return s.reply(m.ID, h)
		}
		return s.reply(m.ID, nil)
	case "textDocument/codeAction":
		return s.reply(m.ID, s.actions(p))
	}
	return s.fail(m.ID, &failure{unknownMethod, fmt.Sprintf("%s is not a method of skep", m.Method)})
}

func (s *server) introduction() initialized {
	return initialized{
		Capabilities: capabilities{
			PositionEncoding:   "utf-16",
			TextDocumentSync:   textDocumentSync{OpenClose: true, Change: 1, Save: true},
			HoverProvider:      true,
			CodeActionProvider: codeActionKinds{[]string{quickFix}},
		},
		ServerInfo: serverInfo{Name: "skep", Version: s.Version},
	}
}

// notice takes a message that wants no answer; those that it does not know change nothing.
func (s *server) notice(m message) error {
	var p documentParams
	if !s.ready || s.leaving || json.Unmarshal(m.Params, &p) != nil {
		return nil
	}
	switch m.Method {
	case "textDocument/didOpen":
		s.take(p.TextDocument.URI, p.TextDocument.Version, p.TextDocument.Text)
	case "textDocument/didChange":
		if n := len(p.ContentChanges); n > 0 {
			s.take(p.TextDocument.URI, p.TextDocument.Version, p.ContentChanges[n-1].Text)
		}
	case "textDocument/didSave", "workspace/didChangeWatchedFiles":
		s.recheck()
	case "textDocument/didClose":
		return s.drop(p.TextDocument.URI)
	}
	return nil
}

func (s *server) reply(id json.RawMessage, result any) error {
	text, err := json.Marshal(result)
	if err != nil {
		return err
	}
	return writeMessage(s.out, message{ID: id, Result: text})
}

func (s *server) fail(id json.RawMessage, f *failure) error {
	return writeMessage(s.out, message{ID: id, Error: f})
}

func (s *server) tell(method string, params any) error {
	text, err := json.Marshal(params)
	if err != nil {
		return err
	}
	return writeMessage(s.out, message{Method: method, Params: text})
}
