package rules

// Builtin returns the packs that kdlocks ships with as a source to load.
func Builtin() Source { return Source{Name: "rules", FS: packs, Builtin: true} }
