#!/bin/sh
# Builds dist/ for `npm pack`: the modules and their types. Needs esbuild and tsc, as Debian's packages
# esbuild and node-typescript or from npm.
set -eu
cd "$(dirname "$0")"
rm -rf dist
for module in mbus-client:mbus-client text:mbus-client-text handle:mbus-client-handle; do
    esbuild --bundle --format=esm --target=es2022 --minify '--mangle-props=_$' --external:./mbus-client.js --log-level=warning \
        "src/${module%%:*}.ts" "--outfile=dist/${module##*:}.js"
done
tsc --project tsconfig.json --emitDeclarationOnly --outDir dist
cp ../../LICENSE LICENSE
