package rules

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"kdlocks/kd"
	"kdlocks/modules"
	"kdlocks/rules/tree"
	"kdlocks/snapshot"
)

// literal reads a value of a type, and says what is wrong with it.
func literal(t Type, s string, words []string) (Value, string) {
	v := Value{Type: t, S: s}
	ok := true
	switch t {
	case Enum:
		if !slices.Contains(words, s) {
			return v, fmt.Sprintf("is none of %s: %q%s", oneOf(words), tree.Clip(s), didYouMean(s, words))
		}
	case Address:
		v.A, ok = kd.ParseAddr(s)
	case Version:
		v.V, ok = parseVersion(s)
	case Bool:
		ok = s == "true" || s == "false"
		if s == "true" {
			v.N = 1
		}
	case Number:
		v.N, ok = parseNumber(s)
	case Percent:
		v.N, ok = parseNumber(strings.TrimSpace(strings.TrimSuffix(s, "%")))
	case Size:
		v.N, ok = parseUnits(s, sizes)
	case Date:
		v.N, ok = parseDate(s)
	case Duration:
		v.N, ok = parseUnits(s, durations)
	}
	if !ok {
		return v, fmt.Sprintf("is %s (%s): %q", an(t.String()), examples[t], tree.Clip(s)) + orCompared(s)
	}
	if t != Name && t != Text && t != Enum {
		v.S = s
	}
	return v, ""
}

// orCompared proposes an operator for a literal that begins with its sign.
func orCompared(s string) string {
	for _, sign := range []struct{ text, op string }{{">=", "gte"}, {"<=", "lte"}, {">", "gt"}, {"<", "lt"}, {"!=", "ne"}, {"=", "eq"}} {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(s), sign.text); ok {
			return fmt.Sprintf("; write {%s: %s}", sign.op, strings.TrimSpace(rest))
		}
	}
	return ""
}

// examples show how values of types are written.
var examples = map[Type]string{
	Address: "hexadecimal, such as fffffa80169538a0", Version: "two to four numbers, such as 6.1.7601.22590",
	Bool: "true or false", Number: "such as 12 or 0x1f", Percent: "such as 90", Size: "such as 4096, 64KB or 16MB",
	Date: "such as 2000-08-10", Duration: "such as 500ms, 30s, 2m, 1h or 497d",
}

// parseVersion reads a version as rules write it: numbers and dots alone.
func parseVersion(s string) (modules.Version, bool) {
	for _, part := range strings.Split(s, ".") {
		if part == "" || strings.Trim(part, "0123456789") != "" {
			return modules.Version{}, false
		}
	}
	return modules.ParseVersion(s)
}

// parseNumber reads a number from 0.
func parseNumber(s string) (float64, bool) {
	if hex, ok := strings.CutPrefix(strings.ToLower(s), "0x"); ok {
		n, err := strconv.ParseUint(hex, 16, 64)
		return float64(n), err == nil
	}
	if strings.Trim(s, "0123456789._") != "" || s == "" {
		return 0, false
	}
	n, err := strconv.ParseFloat(strings.ReplaceAll(s, "_", ""), 64)
	return n, err == nil
}

// parseDate reads 2000-08-10 as seconds since 1970.
func parseDate(s string) (float64, bool) {
	if !likeDate(s) {
		return 0, false
	}
	part := func(from, to int) int64 {
		n, _ := strconv.ParseInt(s[from:to], 10, 32)
		return n
	}
	year, month, day := part(0, 4), part(5, 7), part(8, 10)
	next := snapshot.DaysTo(year, month+1, 1)
	if month == 12 {
		next = snapshot.DaysTo(year+1, 1, 1)
	}
	days := snapshot.DaysTo(year, month, day)
	n := float64(days-snapshot.DaysTo(1970, 1, 1)) * daySeconds
	return n, n >= 0 && 1 <= month && month <= 12 && day >= 1 && days < next
}

type unit struct {
	name string
	n    float64
}

// sizes and durations are the units of literals, longer names first.
var (
	sizes     = []unit{{"kib", 1 << 10}, {"mib", 1 << 20}, {"gib", 1 << 30}, {"kb", 1 << 10}, {"mb", 1 << 20}, {"gb", 1 << 30}, {"k", 1 << 10}, {"m", 1 << 20}, {"g", 1 << 30}, {"b", 1}}
	durations = []unit{{"ms", 1}, {"d", 86_400_000}, {"h", 3_600_000}, {"m", 60_000}, {"s", 1000}}
)

// parseUnits reads a number with or without a unit.
func parseUnits(s string, units []unit) (float64, bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	for _, u := range units {
		if rest, ok := strings.CutSuffix(s, u.name); ok && !strings.HasPrefix(s, "0x") {
			n, ok := parseNumber(strings.TrimSpace(rest))
			return n * u.n, ok
		}
	}
	return parseNumber(s)
}
