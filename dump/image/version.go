package image

import (
	"encoding/binary"
	"fmt"
)

const versionResource = "version resource"

// Version reads the file version of the fixed part of the version resource, as
// "10.0.19041.1052". The pages of resources are often not in a dump.
func (i *Image) Version() (string, error) {
	d, err := i.directory(dirResource, 16, "resource directory")
	if err != nil {
		return "", err
	}
	const version = 16 // RT_VERSION
	// A tree of three levels: the type, then the first name and the first
	// language of it.
	node := uint32(subdirectory)
	for _, want := range []int64{version, -1, -1} {
		if node&subdirectory == 0 {
			return "", fmt.Errorf("%w: %s is not three levels deep", ErrMalformed, versionResource)
		}
		if node, err = i.resource(d, node&^subdirectory, want); err != nil {
			return "", err
		}
	}
	if node&subdirectory != 0 {
		return "", fmt.Errorf("%w: %s is more than three levels deep", ErrMalformed, versionResource)
	}
	data, err := i.resourceRVA(d, node, 16)
	if err != nil {
		return "", err
	}
	rva, err := i.uint32(data, versionResource)
	if err != nil {
		return "", err
	}
	return i.fixedFileInfo(rva)
}

// subdirectory marks an entry of a resource directory that leads to another.
const subdirectory = 1 << 31

// resource returns the offset field of the entry with the id given, or of the
// first entry when id is negative, of the resource directory at off.
func (i *Image) resource(d directory, off uint32, id int64) (uint32, error) {
	rva, err := i.resourceRVA(d, off, 16)
	if err != nil {
		return 0, err
	}
	var head [16]byte
	if err := i.Read(head[:], rva, versionResource); err != nil {
		return 0, err
	}
	count := uint32(binary.LittleEndian.Uint16(head[12:])) + uint32(binary.LittleEndian.Uint16(head[14:]))
	var entry [8]byte
	for k := range count {
		at, err := i.resourceRVA(d, off+16+8*k, 8)
		if err != nil {
			return 0, err
		}
		if err := i.Read(entry[:], at, versionResource); err != nil {
			return 0, err
		}
		if id < 0 || int64(binary.LittleEndian.Uint32(entry[:])) == id {
			return binary.LittleEndian.Uint32(entry[4:]), nil
		}
	}
	return 0, fmt.Errorf("%w: %s", ErrAbsent, versionResource)
}

// resourceRVA returns the RVA of n bytes at off in the resource directory.
func (i *Image) resourceRVA(d directory, off, n uint32) (uint32, error) {
	if uint64(off)+uint64(n) > uint64(d.size) {
		return 0, fmt.Errorf("%w: %s at %#x of a directory of %#x bytes", ErrMalformed, versionResource, off, d.size)
	}
	return d.rva + off, nil
}

// fixedFileInfo reads the VS_FIXEDFILEINFO of the VS_VERSIONINFO at rva, which
// begins with three words and the key in UTF-16, 38 bytes, and 2 of padding.
func (i *Image) fixedFileInfo(rva uint32) (string, error) {
	var b [40 + 16]byte
	if err := i.Read(b[:], rva, versionResource); err != nil {
		return "", err
	}
	fixed := b[40:]
	if binary.LittleEndian.Uint32(fixed) != 0xfeef04bd {
		return "", fmt.Errorf("%w: %s without the signature of VS_FIXEDFILEINFO", ErrMalformed, versionResource)
	}
	high, low := binary.LittleEndian.Uint32(fixed[8:]), binary.LittleEndian.Uint32(fixed[12:])
	return fmt.Sprintf("%d.%d.%d.%d", high>>16, high&0xffff, low>>16, low&0xffff), nil
}
