package web

import (
	"net"
	"testing"
)

func TestHosts(t *testing.T) {
	loopback := hostsOf([]string{"Logs.Example:443"})
	loopback.listen(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8080})
	lan := hostsOf(nil)
	lan.listen(&net.TCPAddr{IP: net.IPv4(192, 168, 1, 7), Port: 8080})
	all := hostsOf(nil)
	all.listen(&net.TCPAddr{IP: net.IPv6unspecified, Port: 8080})
	for _, tc := range []struct {
		host               string
		loopback, lan, all bool
	}{
		{"localhost", true, true, true},
		{"localhost:8080", true, true, true},
		{"LOCALHOST:9000", true, true, true},
		{"localhost.", true, true, true},
		{"127.0.0.1", true, true, true},
		{"127.0.0.1:8080", true, true, true},
		{"127.0.0.2:1", true, true, true},
		{"[::1]", true, true, true},
		{"[::1]:8080", true, true, true},
		{"::1", true, true, true},
		{"[::ffff:127.0.0.1]:8080", true, true, true},
		{"logs.example", true, false, false},
		{"LOGS.example:8443", true, false, false},
		{"192.168.1.7:8080", false, true, true},
		{"192.168.1.8:8080", false, false, true},
		{"[fe80::1%25eth0]:8080", false, false, true},
		{"", false, false, false},
		{":8080", false, false, false},
		{"evil.example", false, false, false},
		{"localhost.evil.example:8080", false, false, false},
		{"127.0.0.1.evil.example", false, false, false},
		{"evil.example:127.0.0.1", false, false, false},
		{"localhost:8080:8080", false, false, false},
		{"[localhost", false, false, false},
		{"localhost]", false, false, false},
		{"[]", false, false, false},
		{"2130706433", false, false, false},
		{"0x7f.1", false, false, false},
		{"127.1", false, false, false},
		{"localhost@evil.example", false, false, false},
	} {
		for _, on := range []struct {
			name string
			h    hosts
			want bool
		}{{"loopback", loopback, tc.loopback}, {"LAN", lan, tc.lan}, {"all", all, tc.all}} {
			if got := on.h.has(tc.host); got != on.want {
				t.Errorf("on %s, Host %q: %v", on.name, tc.host, got)
			}
		}
	}
}

// TestForeignPages: what other sites' pages make a browser send is refused.
func TestForeignPages(t *testing.T) {
	s := server(t, Options{})
	for _, tc := range []struct {
		name   string
		method string
		header []string
		status int
	}{
		{"curl", "POST", nil, 422},
		{"the page", "POST", []string{"Origin: http://localhost:8080", "Sec-Fetch-Site: same-origin"}, 422},
		{"the page in an old browser", "POST", []string{"Origin: http://localhost:8080"}, 422},
		{"typed in", "GET", []string{"Sec-Fetch-Site: none"}, 200},
		{"another site", "POST", []string{"Origin: http://evil.example", "Sec-Fetch-Site: cross-site"}, 403},
		{"another port", "POST", []string{"Origin: http://localhost:9000", "Sec-Fetch-Site: same-site"}, 403},
		{"another port in an old browser", "POST", []string{"Origin: http://localhost:9000"}, 403},
		{"a sandboxed frame", "POST", []string{"Origin: null"}, 403},
		{"a name that leads here", "GET", []string{"Host: evil.example:8080"}, 421},
		{"a name that leads here", "POST", []string{"Host: evil.example:8080", "Origin: http://evil.example:8080", "Sec-Fetch-Site: same-origin"}, 421},
	} {
		path := "/api/v1/analyze"
		if tc.method == "GET" {
			path = "/api/v1/rules"
		}
		if r := ask(s, tc.method, path, nil, tc.header...); r.StatusCode != tc.status {
			t.Errorf("%s: %d, want %d", tc.name, r.StatusCode, tc.status)
		}
	}
}
