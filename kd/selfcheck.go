package kd

// SelfCheck names a question that the input is asked about itself.
type SelfCheck string

// The self-checks.
const (
	CountsFit    SelfCheck = "counts-fit-lists"
	MarksFit     SelfCheck = "marks-fit-modes"
	WaitersAgree SelfCheck = "waiters-agree"
	OneRole      SelfCheck = "one-role"
	OneMoment    SelfCheck = "one-moment"
	OneSession   SelfCheck = "one-session"
	ToolsAgree   SelfCheck = "tools-agree"
	ThreadsRead  SelfCheck = "threads-read"
	TextWhole    SelfCheck = "text-whole"
	KindsSeen    SelfCheck = "kinds-seen"
)
