package web

import _ "embed"

// openAPI describes the API. The tests hold the routes against it.
//
//go:embed openapi.json
var openAPI []byte
