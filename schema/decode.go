package schema

import (
	"bytes"
	"encoding/json"
)

// decodeStrict decodes one JSON value and refuses fields that v does not have.
func decodeStrict[T any](b []byte, v *T) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	return d.Decode(v)
}
