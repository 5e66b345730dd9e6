package symbols

import "bytes"

// The symbol records read here (cvinfo.h).
const (
	symLData32   = 0x110c
	symGData32   = 0x110d
	symPub32     = 0x110e
	symLProc32   = 0x110f
	symGProc32   = 0x1110
	symLProc32ID = 0x1146
	symGProc32ID = 0x1147
)

// readSymbols reads the names of a stream of symbol records.
func (t *Table) readSymbols(records recordReader, places places) error {
	for {
		kind, body, err := records.next()
		if err != nil || body == nil {
			return err
		}
		if err := t.readSymbol(kind, body, places); err != nil {
			return err
		}
	}
}

func (t *Table) readSymbol(kind uint16, body []byte, places places) error {
	private, at, gap := true, 4, 0 // where the offset is, and bytes in front of the name
	switch kind {
	case symPub32, symGData32:
		private = false
	case symLData32:
	case symGProc32, symGProc32ID:
		private, at, gap = false, 28, 1
	case symLProc32, symLProc32ID:
		at, gap = 28, 1
	default:
		return nil
	}
	if len(body) < at+6+gap {
		return nil
	}
	name := body[at+6+gap:]
	n := bytes.IndexByte(name, 0)
	rva, ok := places.rva(le.Uint16(body[at+4:]), le.Uint32(body[at:]))
	if n < 0 || !ok {
		return nil
	}
	return t.addSymbol(name[:n], rva, private)
}
