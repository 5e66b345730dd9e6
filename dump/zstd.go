//go:build !js

package dump

import "github.com/klauspost/compress/zstd"

// packer packs pieces of a text.
type packer struct {
	enc *zstd.Encoder
	dec *zstd.Decoder
}

func (p *packer) pack(b []byte) []byte {
	if p.enc == nil {
		var err error
		if p.enc, err = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1)); err != nil {
			panic(err) // the options are right
		}
	}
	return p.enc.EncodeAll(b, nil)
}

// unpack unpacks what pack returned into a buffer that is large enough, or a new one.
func (p *packer) unpack(packed, buf []byte) ([]byte, error) {
	if p.dec == nil {
		var err error
		if p.dec, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1)); err != nil {
			return nil, err
		}
	}
	return p.dec.DecodeAll(packed, buf)
}
