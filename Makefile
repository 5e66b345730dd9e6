.PHONY: test bench

test:
	go vet ./...
	go test ./...

# The promises of docs/performance.md, measured: some minutes, 1.5 GB of
# temporary files. BENCH="-markdown docs/performance.md" writes the figures down.
bench:
	go run ./bench $(BENCH)
