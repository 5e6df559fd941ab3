package lint

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"skep.dev/schema"
	"skep.dev/schema/finding"
)

// Expiries tells about exposures that end within two weeks of the day, as warnings, and about those that have ended, as
// mistakes. It is apart from spec.Load, since no bundle may depend on the day.
func Expiries(c *schema.Cluster, today time.Time) finding.List {
	var found finding.List
	for _, e := range c.Exposures {
		last, err := time.Parse(time.DateOnly, e.Expires)
		if err != nil {
			continue
		}
		path := schema.JoinPath("exposures", e.Name) + ".expires"
		switch days := int(last.Sub(today.UTC().Truncate(24*time.Hour)).Hours() / 24); {
		case days < 0:
			found = append(found, finding.Finding{ID: finding.ExposureExpired, Level: finding.Mistake, Path: path,
				Text: fmt.Sprintf("ended %s ago: remove the exposure, or give it more time [exposure-expired]", plainCount(-days, "day"))})
		case days <= 14:
			found = append(found, finding.Finding{ID: "exposure-expires", Level: finding.Warning, Path: path, Text: "ends in " + plainCount(days, "day")})
		}
	}
	return found
}

func plainCount(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return strings.TrimSpace(strconv.Itoa(n) + " " + noun)
}
