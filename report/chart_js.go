package report

// counterCharts draws nothing where the program must be small to load.
func (p *page) counterCharts() {}
