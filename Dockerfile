# syntax=docker/dockerfile:1
# Targets: api (also runs the migrations), worker-cpu, worker-gpu. Node runs the TypeScript as it is: nothing is built.
#   docker build --target api -t hivesync-api .

FROM node:24-bookworm-slim AS base
ENV NODE_ENV=production \
    DATA_DIR=/var/lib/hivesync
WORKDIR /app
# A volume that is mounted here for the first time takes over the owner.
RUN install -d -o node -g node /var/lib/hivesync /var/lib/hivesync/worker /storage

FROM base AS modules
COPY package.json package-lock.json .npmrc ./
# Optional packages are embedded PostgreSQL and Node itself: neither belongs into an image.
RUN --mount=type=cache,target=/root/.npm \
    npm ci --omit=dev --omit=optional --ignore-scripts

FROM base AS source
COPY --from=modules /app/node_modules node_modules
COPY package.json LICENSE ./
COPY migrations migrations
COPY sdk-sets sdk-sets
COPY generated generated
COPY bin bin
COPY src src

FROM source AS api
ENV HOST=0.0.0.0 \
    PORT=4000
USER node
EXPOSE 4000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "src/api.ts"]

FROM source AS worker
# Debian's bubblewrap is not setuid: it needs unprivileged user namespaces (docs/operators.md says what to allow).
RUN apt-get update \
    && apt-get install --yes --no-install-recommends bubblewrap ca-certificates \
    && rm -rf /var/lib/apt/lists/*
USER node
# The SDK set, installed and primed here, so that a new worker takes jobs at once. A build step has no user namespaces:
# priming, which runs nobody's code but React Native's, happens behind Node's permission model.
ARG SDK_VERSION=0.88.1
ENV PREVIEW_SDK_VERSIONS=${SDK_VERSION}
RUN --mount=type=cache,target=/home/node/.npm,uid=1000,gid=1000 \
    node src/workers/preview/install-sdk.ts "${SDK_VERSION}" /var/lib/hivesync
# A worker says that it is well to the API (GET /health/deep counts the living); it listens on nothing itself.
HEALTHCHECK NONE
CMD ["node", "src/worker.ts"]

FROM worker AS worker-cpu
ENV WORKER_CLASS=cpu

FROM worker AS worker-gpu
ENV WORKER_CLASS=gpu
