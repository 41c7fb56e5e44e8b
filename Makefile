# Thin: every target is a script or a build tool that can be called by itself.
.PHONY: deps build test lint docs clean
build:
	test -e build/build.ninja || meson setup build
	ninja -C build
deps:
	tools/deps test
test:
	./test
lint:
	tools/lint
clean:
	rm -rf build build-clang build-san
docs: build
	build/reseal generate causes >docs/causes.md
	build/reseal generate commands >docs/commands.md
	build/reseal generate findings >docs/findings.md
