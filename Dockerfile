# One image per target: docker build --target enrich -t marsad/enrich .
# Targets: ingest, enrich, index, web (one service each) and marsad (all in one).
FROM golang:1.26 AS build
WORKDIR /src
COPY . .
ENV CGO_ENABLED=0 GOWORK=off
RUN for m in ingest enrich index web; do (cd services/$m && go build -trimpath -o /out/$m ./cmd/$m) || exit 1; done \
 && cd cmd/marsad && go build -trimpath -o /out/marsad .

FROM gcr.io/distroless/static-debian12:nonroot AS base
EXPOSE 8080
ENV MARSAD_LISTEN=:8080 MARSAD_LOG_FORMAT=json

FROM base AS ingest
COPY --from=build /out/ingest /ingest
ENTRYPOINT ["/ingest"]

FROM base AS enrich
COPY --from=build /out/enrich /enrich
ENTRYPOINT ["/enrich"]

FROM base AS index
COPY --from=build /out/index /index
ENTRYPOINT ["/index"]

FROM base AS web
COPY --from=build /out/web /web
ENTRYPOINT ["/web"]

FROM base AS marsad
COPY --from=build /out/marsad /marsad
ENV MARSAD_DATA=/data
VOLUME /data
ENTRYPOINT ["/marsad"]
CMD ["up"]
