# Every target needs only Go, except where it says otherwise.
MODULES := pkg services/ingest services/enrich services/index services/web cmd/marsad
EXTRA := test/browser test/deploy test/stack test/chaos test/bench
GOLANGCI := go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

# The race detector needs a C compiler; without one the tests run without it.
RACE := $(shell command -v $$(go env CC) >/dev/null 2>&1 && echo -race)

.PHONY: all build test test-long test-browser test-stack chaos stack lint bench bench-stack fuzz tidy clean

all: lint test

build: ## one binary per service, and marsad, into bin/
	@for m in ingest enrich index web; do (cd services/$$m && GOWORK=off go build -o ../../bin/$$m ./cmd/$$m) || exit 1; done
	cd cmd/marsad && GOWORK=off go build -o ../../bin/marsad .

test: ## unit tests of all modules, on the embedded broker and index, and of deploy/
	@test -n "$(RACE)" || echo "no C compiler: testing without the race detector"
	go test $(RACE) -shuffle=on work
	cd test/deploy && GOWORK=off go test -shuffle=on .

test-long: ## ten kills while 5,000 articles are pushed, 500 pieces of junk
	go test -count=1 -v -run 'TestKill|TestJunk' ./cmd/marsad/internal/cli -kills 10 -articles 5000 -junk 500

test-browser: ## the page in a real browser; needs chromium
	cd test/browser && GOWORK=off go test -count=1 -v .

test-stack: ## the contract suite, the bus and a short chaos suite on real Elasticsearch and Kafka; needs java 17 and maven
	cd test/stack && GOWORK=off go test -count=1 -timeout 20m ./...
	cd test/chaos && GOWORK=off go test -count=1 -timeout 20m -v .

chaos: ## the long form: 100 kills over 100,000 articles, Elasticsearch down for ten minutes; more than an hour
	cd test/chaos && GOWORK=off go test -count=1 -timeout 4h -v . -kills 100 -articles 100000 -outage 10m -bad 10000 -lasting 20s

stack: ## real Elasticsearch and Kafka on loopback until interrupted; needs java 17 and maven
	cd test/stack && GOWORK=off go run ./cmd/stack

lint: ## formatting, vet and the linters of .golangci.yml
	@test -z "$$(gofmt -l $(MODULES) test)" || (gofmt -l $(MODULES) test; echo "run gofmt -w on these"; exit 1)
	@for m in $(MODULES) $(EXTRA); do echo "lint $$m"; (cd $$m && GOWORK=off go mod tidy -diff && GOWORK=off $(GOLANGCI) run --config $(CURDIR)/.golangci.yml ./...) || exit 1; done

bench: ## benchmarks of the parts, then everything end to end
	go test -run '^$$' -bench . -benchtime 1s ./pkg/text ./pkg/query ./pkg/search/embedded ./services/ingest ./services/enrich ./services/web ./cmd/marsad/internal/broker
	cd cmd/marsad && go run . bench

bench-stack: ## the services over real Elasticsearch and Kafka, against a plain bulk indexer; needs java 17 and maven
	cd test/bench && GOWORK=off go run .

fuzz: ## each fuzz target for half a minute
	@for t in $$(grep -rl '^func Fuzz' --include='*_test.go' pkg services cmd); do \
	  for f in $$(grep -o '^func Fuzz[A-Za-z0-9]*' $$t | cut -c6-); do \
	    echo "$$t $$f"; (cd $$(dirname $$t) && go test -run '^$$' -fuzz "^$$f$$" -fuzztime 30s .) || exit 1; done; done

tidy:
	@for m in $(MODULES) $(EXTRA); do (cd $$m && GOWORK=off go mod tidy) || exit 1; done
	go work sync

clean:
	rm -rf bin .cache
