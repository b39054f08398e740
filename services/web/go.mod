module github.com/marsad-news/marsad/services/web

go 1.26.0

require github.com/marsad-news/marsad/pkg v0.0.0

replace github.com/marsad-news/marsad/pkg => ../../pkg
