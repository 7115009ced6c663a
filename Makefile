# SPDX-License-Identifier: ISC
# Verbs. What they need is in tools/packages.txt; ./demo.sh and ./test.sh install it.

PY = /usr/bin/python3
PYTEST = $(PY) -m pytest -q -p no:cacheprovider it
SECONDS = 20
MESON = meson setup
CLANG = CC=clang

.PHONY: all demo test unit outside crash mime-diff imap-diff asan tsan fuzz lint format bench bare clean

all: build/build.ninja
	ninja -C build

build/build.ninja:
	$(MESON) build

demo: all
	$(PY) tools/demo.py

test: all unit outside

unit: all
	meson test -C build --no-rebuild --print-errorlogs --timeout-multiplier 3

outside: all
	GATEPOST_BUILD=build $(PYTEST)

# 5,000 messages, 300 kills; and the power cut after every single write.
crash: all
	GATEPOST_BUILD=build GATEPOST_CRASH_MESSAGES=5000 GATEPOST_CRASH_KILLS=300 \
		$(PYTEST)/test_crash.py
	GATEPOST_POWER_ALL=1 build/src/deliver/test_power

# 2,000 generated messages as Dovecot, Python and gmime read them (doc/mime-differences.md).
mime-diff: all
	GATEPOST_BUILD=build GATEPOST_MIME_MESSAGES=2000 $(PYTEST)/test_mime.py

# COMMANDS of the generated ones, to Dovecot too (doc/imap-differences.md).
imap-diff: all
	GATEPOST_BUILD=build GATEPOST_IMAP_COMMANDS=$(or $(COMMANDS),8000) \
		GATEPOST_IMAP_SEED=$(SEED) $(PYTEST)/test_imap_compare.py

# The same tests with every access to memory and every overflow watched.
asan: build-asan/build.ninja
	ninja -C build-asan
	tools/sanitized.sh meson test -C build-asan --no-rebuild --print-errorlogs --timeout-multiplier 5
	GATEPOST_BUILD=build-asan tools/sanitized.sh $(PYTEST)

build-asan/build.ninja:
	$(MESON) build-asan -Db_sanitize=address,undefined -Db_lundef=false

# The folders where threads meet.
tsan: build-tsan/build.ninja
	ninja -C build-tsan
	tools/sanitized.sh meson test -C build-tsan --no-rebuild --print-errorlogs \
		--timeout-multiplier 8 base net journal directory store held scan filter deliver \
		release fulltext smtp view settle store_changes append directory imap imap_queries imap_messages \
		imap_mailbox pop3

build-tsan/build.ninja:
	$(MESON) build-tsan -Db_sanitize=thread -Db_lundef=false

fuzz: build-fuzz/build.ninja
	ninja -C build-fuzz
	tools/fuzz.sh build-fuzz $(SECONDS) $(TARGETS)

build-fuzz/build.ninja:
	$(CLANG) $(MESON) build-fuzz -Dfuzz=true -Dtests=false -Db_sanitize=address,undefined \
		-Db_lundef=false

lint:
	$(PY) tools/check_layers.py
	$(PY) tools/check_style.py
	tools/format.sh --check

format:
	tools/format.sh

bench: all
	$(PY) bench/run.py
	$(PY) bench/imap.py

bare:
	tools/bare.sh

clean:
	rm -rf build build-asan build-tsan build-fuzz
