module github.com/marsad-news/marsad/cmd/marsad

go 1.26.0

require (
	github.com/marsad-news/marsad/pkg v0.0.0
	github.com/marsad-news/marsad/services/enrich v0.0.0
	github.com/marsad-news/marsad/services/index v0.0.0
	github.com/marsad-news/marsad/services/ingest v0.0.0
	github.com/marsad-news/marsad/services/web v0.0.0
)

require (
	github.com/gofrs/flock v0.13.2 // indirect
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	github.com/klauspost/compress v1.20.3 // indirect
	github.com/mitchellh/colorstring v0.0.0-20190213212951-d06e56a500db // indirect
	github.com/pierrec/lz4/v4 v4.1.33 // indirect
	github.com/rivo/uniseg v0.4.7 // indirect
	github.com/schollz/progressbar/v3 v3.19.1 // indirect
	github.com/spf13/cobra v1.10.2 // indirect
	github.com/spf13/pflag v1.0.9 // indirect
	github.com/twmb/franz-go v1.22.2 // indirect
	github.com/twmb/franz-go/pkg/kfake v0.0.0-20260918054303-01f206a7e32c // indirect
	github.com/twmb/franz-go/pkg/kmsg v1.15.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/term v0.47.0 // indirect
)

replace (
	github.com/marsad-news/marsad/pkg => ../../pkg
	github.com/marsad-news/marsad/services/enrich => ../../services/enrich
	github.com/marsad-news/marsad/services/index => ../../services/index
	github.com/marsad-news/marsad/services/ingest => ../../services/ingest
	github.com/marsad-news/marsad/services/web => ../../services/web
)
