package schema

import (
	"bytes"
	"encoding/json"
	"errors"
)

// Decode reads a cluster from the JSON of a complete value of #Cluster. Fields that the Go types do not have are refused.
func Decode(b []byte) (*Cluster, error) {
	c := &Cluster{}
	if err := decodeStrict(b, c); err != nil {
		return nil, errors.Join(errors.New("schema: the Go types do not fit the CUE definitions"), err)
	}
	return c, nil
}

// decodeStrict decodes one JSON value and refuses fields that v does not have.
func decodeStrict[T any](b []byte, v *T) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	return d.Decode(v)
}
