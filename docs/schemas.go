// Package docs has those documents that the program carries.
package docs

import "embed"

// Schemas are the schemas of the JSON of a report and of a comparison.
//
//go:embed report.schema.json compare.schema.json
var Schemas embed.FS
