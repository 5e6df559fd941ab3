package lsp

// What skep uses of the Language Server Protocol 3.17, with its names.

// position is a place in a text: line and column from 0, the column in UTF-16 units.
type position struct {
	Line      int `json:"line"`
	Character int `json:"character"`
}

// span is a part of a text, without its end.
type span struct {
	Start position `json:"start"`
	End   position `json:"end"`
}

// meets reports whether two parts have a place in common.
func (s span) meets(o span) bool { return !s.End.before(o.Start) && !o.End.before(s.Start) }

func (p position) before(o position) bool {
	return p.Line < o.Line || p.Line == o.Line && p.Character < o.Character
}

type initialized struct {
	Capabilities capabilities `json:"capabilities"`
	ServerInfo   serverInfo   `json:"serverInfo"`
}

type capabilities struct {
	PositionEncoding   string           `json:"positionEncoding"`
	TextDocumentSync   textDocumentSync `json:"textDocumentSync"`
	HoverProvider      bool             `json:"hoverProvider"`
	CodeActionProvider codeActionKinds  `json:"codeActionProvider"`
}

type textDocumentSync struct {
	OpenClose bool `json:"openClose"`
	Change    int  `json:"change"` // 1: a change is the whole text
	Save      bool `json:"save"`
}

type codeActionKinds struct {
	CodeActionKinds []string `json:"codeActionKinds"`
}

type serverInfo struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
}

// documentParams are those of all that is about one document.
type documentParams struct {
	TextDocument struct {
		URI     string `json:"uri"`
		Version int    `json:"version"`
		Text    string `json:"text"`
	} `json:"textDocument"`
	ContentChanges []struct {
		Text string `json:"text"`
	} `json:"contentChanges"`
	Position position `json:"position"`
	Range    span     `json:"range"`
}

type publishDiagnostics struct {
	URI         string       `json:"uri"`
	Version     int          `json:"version,omitempty"` // of the document, where it is open
	Diagnostics []diagnostic `json:"diagnostics"`
}

type diagnostic struct {
	Range    span   `json:"range"`
	Severity int    `json:"severity"`
	Code     string `json:"code,omitempty"`
	Source   string `json:"source"`
	Message  string `json:"message"`
}

// Severities of diagnostics.
const (
	isError   = 1
	isWarning = 2
)

type hover struct {
	Contents markup `json:"contents"`
	Range    span   `json:"range"`
}

type markup struct {
	Kind  string `json:"kind"`
	Value string `json:"value"`
}

type codeAction struct {
	Title       string        `json:"title"`
	Kind        string        `json:"kind"`
	Diagnostics []diagnostic  `json:"diagnostics"`
	IsPreferred bool          `json:"isPreferred"`
	Edit        workspaceEdit `json:"edit"`
}

type workspaceEdit struct {
	Changes map[string][]textEdit `json:"changes"`
}

type textEdit struct {
	Range   span   `json:"range"`
	NewText string `json:"newText"`
}

const quickFix = "quickfix"
