# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# Sourced by ../guest/clients-*: run programs of other people and compare what they
# say with what is expected of them.
#
# A result is a line: OK, FAIL or none (not supported), a name, and what the program
# says about it, with tabs between. A file of expected results has all that are not
# OK, and a fourth column with the reason.
#
# The drivers of v3.x and of later kernels are others, and so are the files.
here=/clients
case $(uname -r) in
3.*) later= ;;
*) later=-6.1 ;;
esac
results=/tmp/results
out=/tmp/out
: >$results

result() { printf '%s\t%s\t%s\n' "$@" >>$results; }

# check WHAT CONDITION...: a result about the last client
check() {
	what=$1
	shift
	if "$@"; then
		result OK "$name: $what" ''
	else
		result FAIL "$name: $what" ''
	fi
}

# says WHAT REGEX: is it in the output?
says() { check "$1" grep -qE "$2" $out $out.err; }

# Waits until a program said $until, if that is anything, for not too long
hold() {
	n=0
	until [ -z "$until" ] || grep -qsE "$until" $out $out.err || [ $n -eq 45 ]; do
		sleep 1
		n=$((n + 1))
	done
}

# client NAME PROGRAM...: run it, with a terminal's buffering. It should end with 0
# and have nothing to complain about. Some end when there is something to read, that
# is the end of file after hold().
until=
client() {
	name=$1
	shift
	echo "# $*"
	: >$out
	: >$out.err
	hold | LD_PRELOAD=/lib/libstdbuf.so _STDBUF_O=L timeout 60 "$@" >$out 2>$out.err
	status=$?
	sed 's/^/#   /' $out $out.err
	case $status in
	0) result OK "$name: ends" '' ;;
	77) result none "$name: ends" '' ;;
	*) result FAIL "$name: ends" "status $status" ;;
	esac
	# Progress is no complaint
	grep -vE '^(freq: .*|[<> ]*([0-9.]+ fps)?)$' $out.err | sed 's/^[ \t]*//' | sort -u |
		while read -r line; do result FAIL "$name: $line" ''; done
}

# compare EXPECTED [VARIANT]: TAP from the results. A name in EXPECTED, or for later
# kernels in EXPECTED-6.1, that ends in [VARIANT] is only for this one and comes first.
compare() {
	awk -F '\t' -v variant="${2:-}" -f $here/compare.awk "$here/$1$later" $results
}
