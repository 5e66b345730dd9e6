package rules

// Truth is the value of a clause: the input may not hold what decides it.
type Truth uint8

// The values of a Truth.
const (
	Unknown Truth = iota
	False
	True
)

// String returns the word used in reports.
func (t Truth) String() string { return [...]string{"unknown", "false", "true"}[t] }

// and returns what holds if both must hold.
func (t Truth) and(u Truth) Truth {
	switch {
	case t == False || u == False:
		return False
	case t == Unknown || u == Unknown:
		return Unknown
	}
	return True
}

// or returns what holds if one of both must hold.
func (t Truth) or(u Truth) Truth {
	switch {
	case t == True || u == True:
		return True
	case t == Unknown || u == Unknown:
		return Unknown
	}
	return False
}

func truth(b bool) Truth {
	if b {
		return True
	}
	return False
}
