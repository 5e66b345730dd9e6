package inspect_test

import (
	"fmt"
	"strings"
)

// stack prints the frames of a thread: as k, kn or kv would.
func (p printer) stack(t *thread, indent string, numbered, args bool) string {
	var b strings.Builder
	b.WriteString(indent + p.stackHead(numbered, args) + "\n")
	for i, f := range t.frames {
		b.WriteString(indent)
		if numbered {
			fmt.Fprintf(&b, "%02x ", i)
		}
		if p.d.x86 {
			b.WriteString(p.frameX86(f, args))
		} else {
			b.WriteString(p.frameX64(f, args))
		}
		b.WriteString("\n")
	}
	return b.String()
}

func (p printer) stackHead(numbered, args bool) string {
	head := "Child-SP          RetAddr           "
	switch {
	case p.d.x86 && args:
		head = "ChildEBP RetAddr  Args to Child              "
	case p.d.x86:
		head = "ChildEBP RetAddr  "
	case p.d.wideRet:
		head = "Child-SP          RetAddr               "
	}
	if !p.d.x86 {
		if args {
			head += ": Args to Child                                                           : "
		}
		head += "Call Site"
	}
	if numbered {
		return " # " + head
	}
	return head
}

func (p printer) frameX86(f frame, args bool) string {
	line := p.s(f.sp) + " " + p.s(f.ret) + " "
	if args {
		line += p.s(f.args[0]) + " " + p.s(f.args[1]) + " " + p.s(f.args[2]) + " "
	}
	line += f.site()
	if args {
		line += " (FPO: [Non-Fpo])"
	}
	return line + f.where()
}

func (p printer) frameX64(f frame, args bool) string {
	line := p.s(f.sp) + " " + p.s(f.ret) + " "
	if f.inline {
		line = "(Inline Function) --------`-------- "
	}
	if p.d.wideRet {
		line += "    "
	}
	if args {
		line += ":"
		for _, a := range f.args {
			if f.inline {
				line += " --------`--------"
			} else {
				line += " " + p.s(a)
			}
		}
		line += " : "
	}
	line += f.site()
	if f.inline && args {
		line += " (Inline Function @ " + p.s(f.args[0]) + ")"
	}
	if f.trap != 0 {
		line += " (TrapFrame @ " + p.s(f.trap) + ")"
	}
	return line + f.where()
}

func (f frame) site() string {
	switch {
	case f.symbol != "":
		return f.symbol
	case f.offset < 0:
		return f.name()
	}
	return fmt.Sprintf("%s+0x%x", f.name(), f.offset)
}

func (f frame) where() string {
	if f.source == "" {
		return ""
	}
	return " [" + f.source + "] "
}
