package written

import (
	"fmt"
	"strings"
)

// DidYouMean asks for the candidate that was probably meant, after a text; it is empty when there is none.
func DidYouMean(name string, candidates []string) string {
	if near := Nearest(name, candidates); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return ""
}

// Nearest gives the candidate that is at most two letters away, or differs in case only; "" when there is none.
func Nearest(name string, candidates []string) string {
	best, distance := "", 3
	for _, c := range candidates {
		if strings.EqualFold(name, c) {
			return c
		}
		if d := levenshtein(name, c); d < distance && d < len(name) {
			best, distance = c, d
		}
	}
	return best
}

// levenshtein counts the letters to insert, drop or change. Names longer than any field are far from all of them.
func levenshtein(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
