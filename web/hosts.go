package web

import (
	"net"
	"net/netip"
	"slices"
	"strings"
)

// hosts are the names that the server answers to. A page of somebody else whose name
// was made to lead here (DNS rebinding) calls the server by that name.
type hosts struct {
	names []string
	// any is set where the server listens on all addresses: it cannot know them all,
	// and no name can be made to look like an address.
	any   bool
	addrs []netip.Addr
}

func hostsOf(names []string) hosts {
	h := hosts{names: []string{"localhost"}}
	for _, n := range names {
		host, _ := splitHost(n)
		h.names = append(h.names, strings.ToLower(host))
	}
	return h
}

// listen adds the address that is listened on.
func (h *hosts) listen(a net.Addr) {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return
	}
	ip := tcp.AddrPort().Addr().Unmap()
	h.any = h.any || ip.IsUnspecified()
	h.addrs = append(h.addrs, ip)
}

// has reports whether a Host header names this server, with any port: one that is
// forwarded is another.
func (h *hosts) has(header string) bool {
	host, ok := splitHost(header)
	if !ok {
		return false
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		ip = ip.Unmap().WithZone("")
		return ip.IsLoopback() || h.any || slices.Contains(h.addrs, ip) || slices.Contains(h.names, strings.ToLower(host))
	}
	return slices.Contains(h.names, strings.ToLower(strings.TrimSuffix(host, ".")))
}

// splitHost takes the port and the brackets off.
func splitHost(header string) (string, bool) {
	host := header
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") && (strings.IndexByte(host, ':') == i || host[i-1] == ']') {
		for _, c := range host[i+1:] {
			if c < '0' || c > '9' {
				return "", false
			}
		}
		host = host[:i]
	}
	if strings.HasPrefix(host, "[") != strings.HasSuffix(host, "]") {
		return "", false
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return host, host != ""
}
