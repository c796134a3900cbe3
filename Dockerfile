FROM node:22.20.0-bookworm-slim AS build
WORKDIR /build
COPY . .
RUN npm ci --ignore-scripts && node bin/launch.js build && rm -rf dist/lab dist/bench

FROM node:22.20.0-bookworm-slim AS dependencies
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
# Optional packages are the embedded PostgreSQL and compilers of native speed-ups. Temporal brings its core for five
# platforms, 140 MB, of which this image runs one.
RUN npm ci --omit=dev --omit=optional --ignore-scripts \
  && find node_modules/@temporalio/core-bridge/releases -mindepth 1 -maxdepth 1 \
    ! -name "$(uname -m)-unknown-linux-gnu" -exec rm -r {} +

FROM node:22.20.0-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY package.json LICENSE NOTICE ./
COPY deploy/run-with-database.sh deploy/
COPY --from=dependencies /build/node_modules node_modules
COPY --from=build /build/dist dist
USER node
EXPOSE 8080
ENTRYPOINT ["/bin/sh", "deploy/run-with-database.sh"]
CMD ["dist/bin/api.js"]
