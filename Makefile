# Thin: every target is a script or a build tool that can be called by itself.
.PHONY: deps build test bare lint bench docs clean fuzz fuzz-coverage load watched crash random fidelity
# The tests' part is left out where cmocka was missing, as when ./demo set the folder up.
build:
	test -e build/build.ninja || meson setup build
	grep -q '^build unit:' build/build.ninja || meson setup --reconfigure build
	ninja -C build
deps:
	tools/deps test
test:
	./test
# ./demo and ./test on a bare Debian 12, as root only: an hour, 850 MB to download.
bare:
	tests/bare
lint:
	tools/lint
# Some minutes; a million links are bench/run 100000, a quarter of an hour.
bench:
	bench/run
clean:
	rm -rf build build-bench build-coverage build-fuzz build-san
docs: build
	build/reseal generate causes >docs/causes.md
	build/reseal generate cluster >docs/cluster.md
	build/reseal generate schema >docs/cluster.schema.json
	build/reseal generate commands >docs/commands.md
	build/reseal generate findings >docs/findings.md
# A minute for each target, seven with the build.
fuzz:
	for target in cert cluster dialogue handshake pem pins postgresql protocol ssh; do tools/fuzz $$target 60 || exit 1; done
# The lines of its module that each corpus reaches: half a minute with the build.
fuzz-coverage:
	for target in cert cluster dialogue handshake pem pins postgresql protocol ssh; do tools/coverage $$target || exit 1; done
# A cluster renewed while it is used, 5,000 connections for each of four kinds of renewal.
load: build
	tests/load build/reseal 5000 keep-same keep-second new-same new-second
	tests/load-needed build
# Clusters renewed and their roots replaced under 115,000 handshakes: 25 minutes.
watched: build
	tests/watched build/reseal 35000 postgresql etcd-keep web
	tests/watched build/reseal 10000 etcd-new
# Hours: says how many, and goes on where it was stopped.
crash: build
	tests/crash
# A hundred thousand clusters: says how many minutes are left, and from where to go on when stopped.
random: build
	build/random --from 1 --count 100000 --jobs $$(nproc)
# `check` against four TLS stacks in some thousand handshakes, ten minutes: docs/fidelity.md. Installs
# Go and OpenJDK where they are missing.
fidelity: build
	tools/deps fidelity
	tests/fidelity/fidelity build/reseal
	tests/fidelity/forecast build/reseal
