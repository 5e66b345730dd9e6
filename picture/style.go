package picture

// style is the style sheet of the SVG. Dark colours are for screens only.
// Colour never tells anything alone: the cycle is thick and numbered, too, the
// grades are kinds of lines, the kinds of edges words and arrow heads.
const style = `
.kdp text{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;font-size:13px;fill:#1f2328}
.kdp .kdp-page{fill:#ffffff}
.kdp .kdp-panel{fill:#fbfcfd;stroke:#d0d7de}
.kdp .kdp-title{font-size:19px;font-weight:700}
.kdp .kdp-head{font-size:14px;font-weight:700}
.kdp .kdp-prose,.kdp .kdp-more{fill:#424a53}
.kdp .kdp-more{font-weight:600}
.kdp .kdp-kind{font-size:11px;fill:#57606a;font-weight:600}
.kdp .kdp-address{font-family:ui-monospace,SFMono-Regular,Consolas,"Liberation Mono",Menlo,monospace;font-size:13px;font-weight:700}
.kdp .kdp-detail{font-family:ui-monospace,SFMono-Regular,Consolas,"Liberation Mono",Menlo,monospace;font-size:11.5px}
.kdp .kdp-shape{fill:#ffffff;stroke:#57606a;stroke-width:1.5}
.kdp .kdp-thread .kdp-shape{fill:#eef6ff;stroke:#4a6a8f}
.kdp .kdp-lock .kdp-shape{fill:#fff6dd;stroke:#8a6100}
.kdp .kdp-object .kdp-shape{fill:#f3eefc;stroke:#6b4fa0}
.kdp .kdp-group .kdp-shape{fill:#f0f2f5;stroke:#6e7781}
.kdp .kdp-group .kdp-kind{font-size:13px;font-weight:700;fill:#1f2328}
.kdp .kdp-nobody .kdp-shape{stroke-dasharray:5 4}
.kdp .kdp-elided .kdp-shape{stroke-dasharray:2 4;fill:none}
.kdp .kdp-node.kdp-red .kdp-shape{stroke:#cf222e;stroke-width:3}
.kdp .kdp-ring{fill:none;stroke:#0b5cad;stroke-width:2.5}
.kdp .kdp-badge{fill:#0b5cad}
.kdp .kdp-badgetext{font-size:11px;font-weight:700;fill:#ffffff}
.kdp .kdp-line{fill:none;stroke:#57606a;stroke-width:1.8;stroke-linejoin:round}
.kdp .kdp-dashed .kdp-line{stroke-dasharray:8 5}
.kdp .kdp-dotted .kdp-line{stroke-dasharray:1 5;stroke-linecap:round}
.kdp .kdp-head-full{fill:#57606a;stroke:#57606a;stroke-width:1}
.kdp .kdp-head-open{fill:#fbfcfd;stroke:#57606a;stroke-width:1.6}
.kdp .kdp-red .kdp-line{stroke:#cf222e;stroke-width:3.2}
.kdp .kdp-red .kdp-head-full{fill:#cf222e;stroke:#cf222e}
.kdp .kdp-red .kdp-head-open{stroke:#cf222e;stroke-width:2}
.kdp .kdp-say{font-size:11.5px;fill:#424a53;stroke:#fbfcfd;stroke-width:4;stroke-linejoin:round;paint-order:stroke}
.kdp .kdp-disc{fill:#cf222e;stroke:#fbfcfd;stroke-width:2}
.kdp .kdp-number{font-size:12px;font-weight:700;fill:#ffffff}
.kdp .kdp-less{font-size:10.5px}
.kdp .kdp-small{font-size:8.5px}
@media screen and (prefers-color-scheme:dark){
.kdp text{fill:#e6edf3}
.kdp .kdp-page{fill:#0d1117}
.kdp .kdp-panel{fill:#11161d;stroke:#30363d}
.kdp .kdp-prose,.kdp .kdp-more{fill:#b7c0ca}
.kdp .kdp-kind{fill:#a5afb9}
.kdp .kdp-shape{fill:#161b22;stroke:#8b949e}
.kdp .kdp-thread .kdp-shape{fill:#13233a;stroke:#6f9fd8}
.kdp .kdp-lock .kdp-shape{fill:#2d2410;stroke:#d0a233}
.kdp .kdp-object .kdp-shape{fill:#231b33;stroke:#a98be0}
.kdp .kdp-group .kdp-shape{fill:#1e242c;stroke:#8b949e}
.kdp .kdp-group .kdp-kind{fill:#e6edf3}
.kdp .kdp-node.kdp-red .kdp-shape{stroke:#ff6b64}
.kdp .kdp-ring{stroke:#58a6ff}
.kdp .kdp-badge{fill:#58a6ff}
.kdp .kdp-badgetext{fill:#0d1117}
.kdp .kdp-line{stroke:#a5afb9}
.kdp .kdp-head-full{fill:#a5afb9;stroke:#a5afb9}
.kdp .kdp-head-open{fill:#11161d;stroke:#a5afb9}
.kdp .kdp-red .kdp-line{stroke:#ff6b64}
.kdp .kdp-red .kdp-head-full{fill:#ff6b64;stroke:#ff6b64}
.kdp .kdp-red .kdp-head-open{stroke:#ff6b64}
.kdp .kdp-say{fill:#b7c0ca;stroke:#11161d}
.kdp .kdp-disc{fill:#ff6b64;stroke:#11161d}
.kdp .kdp-number{fill:#0d1117}
}
`
