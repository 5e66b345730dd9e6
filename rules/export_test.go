package rules

// JoinAll lets rules ask first which facts can matter however few there are, until undo
// is called.
func JoinAll() (undo func()) {
	old := fewFacts
	fewFacts = 0
	return func() { fewFacts = old }
}
