package jsonschema_test

import (
	"encoding/json"
	"fmt"

	"skep.dev/schema/jsonschema"
)

// The document is data like any other: here is what it says of the role of a node.
func ExampleText() {
	text, err := jsonschema.Text()
	if err != nil {
		fmt.Println(err)
		return
	}
	type role struct {
		Enum, Default any
		ErrorMessage  string
	}
	var doc struct {
		Definitions struct {
			Cluster struct {
				Properties struct {
					Nodes struct {
						AdditionalProperties struct{ Properties struct{ Role role } }
					}
				}
			}
		}
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		fmt.Println(err)
		return
	}
	r := doc.Definitions.Cluster.Properties.Nodes.AdditionalProperties.Properties.Role
	fmt.Println(r.Enum, r.Default, r.ErrorMessage)
	// Output: [manager worker] worker want "manager" or "worker"
}
