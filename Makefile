# make          builds build/convc and the libraries
# make demo     installs what is missing, builds, runs ResNet-50 and filters a picture
# make test     installs what is missing, builds, runs every test; see .ci/test
# make gallery  renders specs/filters/gallery.png: the picture through seven filters
# make peers    installs the libraries that convc bench measures against
# make install  installs to PREFIX (default /usr/local)

PREFIX ?= /usr/local
JOBS ?= $(shell nproc)

.PHONY: all demo gallery test install packages peers format clean
all:
	@cmake -S . -B build -DCMAKE_INSTALL_PREFIX=$(PREFIX) >/dev/null
	@cmake --build build -j$(JOBS)

packages:
	@.ci/packages

demo: packages
	@echo "Building"
	@$(MAKE) --no-print-directory all >/dev/null
	build/convc run specs/networks/resnet50.lua
	build/convc run specs/filters/edge_detect.lua -D C=3 \
	    --input specs/filters/picture.png --output build/edges.png
	@echo "The edges of specs/filters/picture.png are in build/edges.png"

gallery: all
	specs/filters/gallery.py build/convc specs/filters/gallery.png

test:
	@.ci/packages tests
	@JOBS=$(JOBS) .ci/test

install: all
	cmake --install build --prefix $(PREFIX)

# What convc bench measures against; onnxruntime-node without what its scripts would fetch more.
peers:
	@.ci/packages peers
	npm install --ignore-scripts --no-audit --no-fund --prefix build/onnxruntime onnxruntime-node

format:
	git ls-files '*.c' '*.h' | xargs clang-format-14 -i

clean:
	rm -rf build
