package mcp

import (
	"context"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// progressKey is that of the progress of a call in its context.
type progressKey struct{}

// withProgress lets a call tell how far it is, if its client asks for that.
func withProgress(ctx context.Context, req *sdk.CallToolRequest) context.Context {
	token := req.Params.GetProgressToken()
	if token == nil {
		return ctx
	}
	told := int64(0)
	return context.WithValue(ctx, progressKey{}, func(done, total int64) {
		if done-told < max(total/100, 1<<20) {
			return
		}
		told = done
		// A client that cannot be told cannot be answered either.
		_ = req.Session.NotifyProgress(ctx, &sdk.ProgressNotificationParams{ProgressToken: token, Progress: float64(done), Total: float64(total), Message: "bytes read"})
	})
}

// progress returns what inspect tells its progress to, nil if nobody asks.
func progress(ctx context.Context) func(done, total int64) {
	tell, _ := ctx.Value(progressKey{}).(func(done, total int64))
	return tell
}
