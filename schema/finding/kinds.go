package finding

import (
	"slices"
	"strings"
)

// Kind tells about all findings with one ID.
type Kind struct {
	ID    ID     `json:"id"`
	Level Level  `json:"level"`
	Title string `json:"title"`
	Why   string `json:"why"`
	Way   string `json:"way"` // what to do about it
}

// Kinds lists every kind of finding, mistakes before warnings, each sorted by ID.
func Kinds() []Kind {
	warnings := slices.Concat(clusterWarnings(), storageWarnings(), routerWarnings(), firewallWarnings(), meshWarnings(), accessWarnings(), clearWarnings(), engineWarnings(), stackWarnings(), policyWarnings(), shareWarnings(), waiverWarnings(), composeWarnings())
	return append(leveled(Mistake, mistakes()), leveled(Warning, warnings)...)
}

// LevelOf returns the level of the findings with an ID.
func LevelOf(id ID) Level {
	kinds := Kinds()
	return kinds[slices.IndexFunc(kinds, func(k Kind) bool { return k.ID == id })].Level
}

func leveled(l Level, kinds []Kind) []Kind {
	for i := range kinds {
		kinds[i].Level = l
	}
	slices.SortFunc(kinds, func(a, b Kind) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return kinds
}
