.PHONY: test bench engine kdlocks site offline

test:
	go vet ./...
	go test -timeout 60m ./...

# The promises of docs/performance.md, measured: some minutes, 1.5 GB of
# temporary files. BENCH="-markdown docs/performance.md" writes the figures down.
bench:
	go run ./bench $(BENCH)

# The engine for the browser, which go build -tags engine puts into the program.
engine:
	go run ./web/build engine

# The program as it is released: kdlocks serve brings the engine along.
kdlocks: engine
	go build -trimpath -ldflags="-s -w" -tags engine -o kdlocks ./cmd/kdlocks

# The page for any static host, and as one file that works without a network.
site:
	go run ./web/build site -to build/site

offline:
	go run ./web/build offline -to build/kdlocks.html
