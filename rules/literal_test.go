package rules

import (
	"strings"
	"testing"
)

// TestLiterals reads values of types: what is none is refused.
func TestLiterals(t *testing.T) {
	for _, c := range []struct {
		typ Type
		s   string
		ok  bool
	}{
		{Version, "6.1.7601.22590", true}, {Version, "6.1", true}, {Version, "10.0.19041", true},
		{Version, "6.1.7601.x", false}, {Version, "6.1.7601.22590.1", false}, {Version, "6,1", false}, {Version, "6..1", false},
		{Version, "6.1.99999999999999999999", false}, {Version, "", false}, {Version, "v6.1", false}, {Version, "6.1 (win7)", false},
		{Number, "12", true}, {Number, "0x1F", true}, {Number, "1_000", true}, {Number, "1.5", true},
		{Number, "-1", false}, {Number, "1e9", false}, {Number, "0x", false}, {Number, "0x1ffffffffffffffff", false},
		{Number, "1,000", false}, {Number, ".inf", false}, {Number, ".nan", false}, {Number, "NaN", false}, {Number, "_", false},
		{Number, strings.Repeat("9", 400), false}, {Number, "1.2.3", false},
		{Size, "16MB", true}, {Size, "64 KB", true}, {Size, "4096", true}, {Size, "16 MBit", false}, {Size, "MB", false}, {Size, "-1MB", false},
		{Duration, "30s", true}, {Duration, "497d", true}, {Duration, "500ms", true}, {Duration, "1w", false}, {Duration, "-1s", false},
		{Percent, "90", true}, {Percent, "90%", true}, {Percent, "90 %", true}, {Percent, "%", false},
		{Address, "fffffa80169538a0", true}, {Address, "fffff800`0113d210", true}, {Address, "0x", false}, {Address, "fffffa80*", false},
		{Address, "1fffffa80169538a0", false}, {Bool, "true", true}, {Bool, "yes", false},
	} {
		if _, why := literal(c.typ, c.s, nil); (why == "") != c.ok {
			t.Errorf("%s %q: %q", c.typ, c.s, why)
		}
	}
}
