package rules

import (
	_ "embed"
	"strings"
)

//go:embed skeleton.yaml
var skeleton string

// Skeleton returns a rule file to begin with: one rule of an id, which passes its
// own tests as it stands.
func Skeleton(id string) string { return strings.ReplaceAll(skeleton, "SOME-ID", id) }

// IsID reports whether a word can be the id of a rule.
func IsID(s string) bool { return isRuleID(s) && len(s) <= 80 }
