# One image for every function: FUNCTION_TARGET chooses (receive, classify, suppress-check, notify, build-digest,
# console); FUNCTION_TARGET=migrate is the Job that brings the schema up to date.

# Both bases are pinned to the digest of their multi-platform index; tags say what the digest was when it was looked up.
FROM gcr.io/distroless/nodejs24-debian12:nonroot@sha256:14d42e2511532589a7c7e01a753667a74fcc96266e137e8125006b87b0c32d0a AS runtime

FROM node:24-bookworm-slim@sha256:6f7b03f7c2c8e2e784dcf9295400527b9b1270fd37b7e9a7285cf83b6951452d AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
# What production may contain; the bundles hold a part of it.
RUN npm sbom --sbom-format cyclonedx --omit dev --package-lock-only > sbom.cdx.json
COPY . .
# The compile cache only serves the very Node that wrote it, run by the same user id: so both are those of the runtime.
COPY --from=runtime /nodejs /nodejs
RUN chown 65532:65532 /app
USER 65532:65532
RUN /nodejs/bin/node build/bundle.ts && rm dist/*.map

FROM runtime
LABEL org.opencontainers.image.title="alertgest" \
      org.opencontainers.image.description="Alert triage on Knative: Alertmanager in, one push per incident out" \
      org.opencontainers.image.licenses="Apache-2.0"
WORKDIR /app
COPY --from=build /app/dist dist
COPY --from=build /app/sbom.cdx.json LICENSE ./
ENV NODE_ENV=production \
    NODE_OPTIONS=--max-semi-space-size=4 \
    NODE_COMPILE_CACHE=/app/dist/compile-cache \
    NODE_COMPILE_CACHE_PORTABLE=1 \
    FUNCTION_TARGET=receive \
    PORT=8080
USER 65532:65532
EXPOSE 8080
STOPSIGNAL SIGTERM
CMD ["dist/main.cjs"]
