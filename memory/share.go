package memory

// Share returns how much of what is used of a type of pool one row has, in percent: of the
// TOTAL of its listing, else of what the head of poolmon or !vm says is used. vm may be nil.
func (p *Pool) Share(r *Row, t Type, vm *VM) (percent float64, ok bool) {
	bytes := r.Of(t).Bytes
	if !bytes.Known() {
		return 0, false
	}
	head := "Pool P"
	if t == NonPaged {
		head = "Pool N"
	}
	for _, used := range []int64{p.Total.Of(t).Bytes.N, p.Gauge(head).N << 10, usedBytes(vm, t)} {
		if used > 0 && used >= bytes.N {
			return 100 * float64(bytes.N) / float64(used), true
		}
	}
	return 0, false
}

// usedBytes returns how much of a type of pool !vm says is used, 0 if that is not known.
func usedBytes(vm *VM, t Type) int64 {
	if vm == nil {
		return 0
	}
	if t == Paged {
		n, _ := vm.Counter(PagedPoolUsage).Bytes()
		return n
	}
	if vm.NonPagedOverRAM() == Yes {
		return 0
	}
	n, _ := vm.Counter(NonPagedPoolUsage).Bytes()
	nx, _ := vm.Counter(NonPagedPoolNxUsage).Bytes()
	return n + nx
}
