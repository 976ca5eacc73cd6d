#!/bin/sh
# Builds dist/ for `npm pack`: the two modules and their types. Needs esbuild and tsc, as Debian's packages
# esbuild and node-typescript or from npm.
set -eu
cd "$(dirname "$0")"
rm -rf dist
for module in index:mbus-client text_frame:mbus-client-text; do
    esbuild --bundle --format=esm --target=es2020 --minify '--mangle-props=_$' --log-level=warning \
        "src/${module%%:*}.ts" "--outfile=dist/${module##*:}.js"
done
tsc --project tsconfig.json --emitDeclarationOnly --outDir dist
cp ../../LICENSE LICENSE
