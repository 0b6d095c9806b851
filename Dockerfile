# The deployer's worker: what `npm run ananta -- install` runs in the target cluster.
#   docker build --tag REGISTRY/ananta-deploy:VERSION .
ARG NODE_IMAGE=docker.io/library/node:24.21.0-bookworm-slim

FROM ${NODE_IMAGE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# Not `npm ci`: it refuses a lockfile that lacks optional packages for other platforms. These are the locked versions, too.
# The Node that comes with them is for machines without one: the image has its own.
RUN npm install --omit=dev --no-save --ignore-scripts --no-audit --no-fund && rm -rf node_modules/node-linux-*

FROM dependencies AS parts
COPY src ./src
COPY bootstrap ./bootstrap
COPY scripts/image-parts.ts ./scripts/image-parts.ts
# Helm at the pinned version and checksum, and the workflow code as one file: a worker then starts in a second.
ARG ANANTA_TOOLS_MIRROR
RUN ANANTA_CACHE_DIR=/parts/cache ANANTA_TOOLS_MIRROR="${ANANTA_TOOLS_MIRROR}" node scripts/image-parts.ts /parts

FROM ${NODE_IMAGE}
LABEL org.opencontainers.image.title="ananta-deploy" org.opencontainers.image.description="Worker of the deployer of the Ananta Platform"
# Numbers, since Kubernetes cannot tell from a name that it is not root.
RUN groupadd --gid 10001 ananta && useradd --uid 10001 --gid 10001 --home-dir /var/lib/ananta --create-home --shell /usr/sbin/nologin ananta
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=parts /parts/helm /usr/local/bin/helm
COPY --from=parts /parts/bundles ./bundles
COPY package.json package-lock.json ./
COPY src ./src
COPY bootstrap ./bootstrap
COPY helm ./helm
COPY platforms ./platforms
COPY environments ./environments
ENV NODE_ENV=production ANANTA_STATE_DIR=/var/lib/ananta/state ANANTA_CACHE_DIR=/var/lib/ananta/cache NODE_COMPILE_CACHE=/tmp/node-compile-cache
USER 10001:10001
# Process 1 is Node itself: it takes SIGTERM and ends the steps at hand in good order.
ENTRYPOINT ["node", "--disable-warning=ExperimentalWarning", "src/cli/main.ts"]
CMD ["--help"]
