// Package engine answers what the page asks about one case: it keeps what was
// analysed and makes each view of it when somebody looks. It knows no browser and no
// server: compiled to WebAssembly it runs in the page's worker, and in the program
// behind POST /api/v1/page/{call}.
//
// There the page sends multipart/form-data with a part "args" (the arguments of the
// call as JSON), parts "file" (the inputs, with their names), and, for calls about a
// case, a part "analyze" (the arguments that the case was analysed with): nothing is
// kept between calls, see Once.
package engine
