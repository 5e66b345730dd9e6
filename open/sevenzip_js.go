package open

import "errors"

// sevenzip is left out where the program must be small to load.
func (o *opener) sevenzip(*archive) error {
	return errors.New("7z is not read in the browser; unpack it first, or use the program")
}
