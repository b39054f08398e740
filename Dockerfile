# One image per target: docker build --target enrich -t marsad-enrich .
# Targets: ingest, enrich, index, web (one service each) and marsad (all in one,
# and the command line; what is built without --target).
FROM golang:1.26 AS build
WORKDIR /src
COPY . .
ENV CGO_ENABLED=0 GOWORK=off
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    for m in ingest enrich index web; do (cd services/$m && go build -trimpath -o /out/$m ./cmd/$m) || exit 1; done \
 && cd cmd/marsad && go build -trimpath -o /out/marsad . \
 && mkdir /out/data

# Only certificates, time zones and the binary: no shell, and user 65532.
FROM gcr.io/distroless/static-debian12:nonroot AS base
COPY LICENSE NOTICE /licenses/
COPY LICENSES /licenses/LICENSES
USER 65532:65532
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
# A volume takes over the owner of the folder it is laid on.
COPY --from=build --chown=65532:65532 /out/data /data
ENV MARSAD_DATA=/data
VOLUME /data
ENTRYPOINT ["/marsad"]
CMD ["up"]
