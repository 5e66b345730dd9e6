// Package report is the stable form in which every face of kdlocks tells what
// it found: the Report, which marshals to the JSON schema kdlocks.report/v1,
// and one writer for each output format. Writers decide nothing.
package report
