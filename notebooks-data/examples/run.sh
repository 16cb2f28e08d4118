#!/usr/bin/env bash
# Runs the examples of billing backends against a real server: Rust, TypeScript, and Java where the
# Debian packages of gRPC are. Go is a source to read; see README.md.
#   run.sh LAGOM PYTHON-WITH-GRPCIO-TOOLS
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
lagom=$(realpath "$1")
python=$2
work=$(mktemp -d)
trap 'kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT
export LAGOM_TARGET=127.0.0.1:50071

(cd "$work" && LAGOM__SERVER__GRPC=$LAGOM_TARGET LAGOM__SERVER__HTTP=127.0.0.1:50072 exec "$lagom" serve) >"$work/out" 2>&1 &
server=$!
for _ in $(seq 100); do (exec 3<>/dev/tcp/127.0.0.1/50071) 2>/dev/null && break; sleep 0.2; done

passed=0
rust=$(dirname "$lagom")/examples/billing_backend
if [ -x "$rust" ]; then
  "$rust"
  passed=$((passed + 1))
fi

if command -v npm >/dev/null; then
  cp -r "$here/typescript" "$work/typescript"
  cd "$work/typescript"
  npm install --silent --no-audit --no-fund
  mkdir -p generated
  "$python" -m grpc_tools.protoc -I"$here/../../proto" \
    --plugin=protoc-gen-ts_proto=node_modules/.bin/protoc-gen-ts_proto \
    --ts_proto_out=generated --ts_proto_opt=outputServices=grpc-js,esModuleInterop=true,env=node \
    lagom/v1/common.proto lagom/v1/event.proto lagom/v1/decision.proto
  node_modules/.bin/tsx billing.ts
  # The same keys again: nothing new.
  node_modules/.bin/tsx billing.ts | grep '0 accepted, 1 known'
  passed=$((passed + 1))
else
  echo 'no npm: the TypeScript example was not run'
fi
# Debian: default-jdk-headless protobuf-compiler protobuf-compiler-grpc-java-plugin libgrpc-java
# libprotobuf-java libnetty-java libperfmark-java libgoogle-gson-java libgeronimo-annotation-1.3-spec-java
jars=/usr/share/java
if command -v javac >/dev/null && command -v protoc >/dev/null && command -v grpc_java_plugin >/dev/null &&
  [ -e "$jars/grpc-netty.jar" ] && [ -e "$jars/netty-all.jar" ]; then
  mkdir -p "$work/java/src" "$work/java/classes"
  cd "$work/java"
  protoc -I "$here/../../proto" --plugin=protoc-gen-grpc-java="$(command -v grpc_java_plugin)" \
    --java_out=src --grpc-java_out=src lagom/v1/common.proto lagom/v1/event.proto lagom/v1/decision.proto
  path=$(printf "%s:" "$jars"/{grpc,protobuf,guava,netty,perfmark,gson,failureaccess,opencensus,geronimo-annotation,error_prone}*.jar)
  find src -name '*.java' >sources
  javac -nowarn -proc:none -cp "$path" -d classes @sources "$here/java/Billing.java"
  java -cp "classes:$path" Billing
  passed=$((passed + 1))
else
  echo 'no gRPC for Java from Debian: the Java example was not run'
fi
echo 'the Go example was not run: Debian has no gRPC for Go that is new enough'
echo "$passed passed, 0 failed"
