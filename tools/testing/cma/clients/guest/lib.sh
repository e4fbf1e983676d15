# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# Sourced by clients-*: run third-party programs and compare their results with the
# expected ones.
#
# A result is a line of three columns with tabs between: OK, FAIL or none (not
# supported), a name, and the program's message. A file of expected results lists all
# that are not OK, and its fourth column has the reason.
#
# The drivers of v3.x and of later kernels differ, and so do the files.
here=/clients
case $(uname -r) in
3.*) later= ;;
*) later=-6.1 ;;
esac
results=/tmp/results
out=/tmp/out
: >$results

result() { printf '%s\t%s\t%s\n' "$@" >>$results; }

# check WHAT CONDITION...: add a result about the last client
check() {
	what=$1
	shift
	if "$@"; then
		result OK "$name: $what" ''
	else
		result FAIL "$name: $what" ''
	fi
}

# says WHAT REGEX: check that the client's output matches
says() { check "$1" grep -qE "$2" $out $out.err; }

# wait_for SECONDS COMMAND...: wait until it succeeds; fail after that time
wait_for() {
	left=$1
	shift
	until "$@"; do
		[ $((left -= 1)) -ge 0 ] || return 1
		sleep 1
	done
}

# Wait until a program has printed $until, at most 45 s; do not wait if it is empty
hold() { [ -z "$until" ] || wait_for 45 grep -qsE "$until" $out $out.err; }

# client NAME PROGRAM...: run it with the buffering of a terminal. It should exit with 0
# and print nothing unexpected to stderr. Some programs exit when their input becomes
# readable, which here is the end of file after hold().
until=
seconds=60 # after which it is killed
ignore='^$' # lines of stderr that add nothing
client() {
	name=$1
	shift
	echo "# $*"
	: >$out
	: >$out.err
	hold | LD_PRELOAD=/lib/libstdbuf.so _STDBUF_O=L timeout "$seconds" "$@" >$out 2>$out.err
	status=$?
	sed 's/^/#   /' $out $out.err
	case $status in
	0) result OK "$name: ends" '' ;;
	77) result none "$name: ends" '' ;;
	*) result FAIL "$name: ends" "status $status" ;;
	esac
	# Progress messages are not errors. A camera drops frames while the host is busy.
	grep -vE '^(freq: .*|[<> ]*([0-9.]+ fps(, dropped buffers: [0-9]+)?)?)$' $out.err |
		grep -vE "$ignore" | sed 's/^[ \t]*//' | sort -u |
		while read -r line; do result FAIL "$name: $line" ''; done
}

# node NAME NUMBER: the NUMBERth device node of that name
node() {
	grep -lx "$1" /sys/class/video4linux/*/name | sed -n "$2s,/name\$,,p" | sed 's,.*/,/dev/,'
}

# frames COUNT NAME OPTION...: stream; v4l2-ctl prints one "<" for each frame
frames() {
	count=$1 name=$2
	shift 2
	client "$name" v4l2-ctl --stream-count="$count" "$@"
	check "$count frames" [ "$(tr -cd '<' <$out.err | wc -c)" -eq "$count" ]
}

# Ask the host for a picture, which tells with a key that it has taken it (see ../clients).
# A display server may have taken the keyboard from the console, so look at its interrupts.
ask_for_picture() {
	before=$(grep kmi /proc/interrupts)
	echo "@screen-ready $1"
	check 'the host took a picture' wait_for 60 key_pressed
}
key_pressed() { [ "$(grep kmi /proc/interrupts)" != "$before" ]; }

# kselftest NAME: run the tests of heaps of 6.1, which print six results for each of them,
# and of 6.12, which print eleven
kselftest() {
	heaps=$(find /dev/dma_heap -type c | wc -l)
	client "$1 6.1" kselftest-6.1
	check 'all tests' [ "$(grep -c 'OK$' $out)" -eq $((6 * heaps)) ]
	client "$1 6.12" kselftest-6.12
	check 'all tests' [ "$(grep -c '^ok ' $out)" -eq $((11 * heaps)) ]
}

# compare EXPECTED [VARIANT]: print the results as TAP. EXPECTED (on later kernels
# EXPECTED-6.1) may have a name that ends in [VARIANT]: it counts only for this variant
# and takes precedence over the name without.
compare() {
	awk -F '\t' -v variant="${2:-}" -f $here/compare.awk "$here/$1$later" $results
}
