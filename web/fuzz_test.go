package web

import (
	"strings"
	"testing"
	"time"
)

// FuzzAnalyze sends bodies of any kind under any type: each gets an answer of those that
// are described, in time, and no room is lost.
func FuzzAnalyze(f *testing.F) {
	const form = "multipart/form-data; boundary=x"
	log := "0: kd> !locks\nResource @ 0xfffffa8011ef1de8    Exclusively owned\n     Threads: fffffa8016910b60-01<*> \n"
	for _, seed := range []struct{ kind, body string }{
		{"", log},
		{"text/plain", string(packed(log))},
		{form, "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n" + log + "\r\n--x--\r\n"},
		{form, "--x\r\nContent-Disposition: form-data; name=file; filename*=UTF-8''%e4\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=\r\n--x\r\n\r\n"},
		{form, "--x\nContent-Disposition: form-data; name=rules\n\nrules: [\n--x\nContent-Disposition: form-data; name=no_builtin_rules\n\ntrue\n--x--"},
		{form, "--x\r\nContent-Disposition: form-data; name=output\r\n\r\nsvg\r\n--x--"},
		{form, "--x--"},
		{form, "preamble\r\n--x  \r\nContent-Disposition: form-data; name=file\r\n\r\n--x"},
		{"multipart/form-data; boundary=\"\x00\"", "--\x00\r\n"},
		{"multipart/form-data; boundary=" + strings.Repeat("b", 80), "--"},
		{form, "--x\r\n" + strings.Repeat("A: b\r\n", 4000) + "\r\n"},
	} {
		f.Add(seed.kind, seed.body)
	}
	s := server(f, Options{Limits: Limits{Body: 1 << 20, Unpacked: 4 << 20, Parts: 4, Time: 10 * time.Second}})
	described := map[int]bool{200: true, 400: true, 406: true, 413: true, 415: true, 422: true}
	f.Fuzz(func(t *testing.T, kind, body string) {
		begin := time.Now()
		r := ask(s, "POST", "/api/v1/analyze", strings.NewReader(body), "Content-Type: "+kind)
		if !described[r.StatusCode] {
			t.Errorf("%d: %s", r.StatusCode, text(t, r))
		}
		if r.StatusCode != 200 {
			problemIn(t, r)
		}
		if took := time.Since(begin); took > 10*time.Second {
			t.Errorf("it took %s", took)
		}
		if s.store.memory != allInMemory || s.store.disk != s.limits.Temp || len(s.small.places)+len(s.large.places) != 0 {
			t.Errorf("room is lost: %d, %d", s.store.memory, s.store.disk)
		}
	})
}
