# SPDX-License-Identifier: GPL-2.0
# awk -F '\t' -v variant=V -f compare.awk EXPECTED RESULTS: see lib.sh

# The name under which EXPECTED has a result. The inputs of a device share one name, and
# "PROGRAM *:" is for a result that does not depend on the program's arguments.
function key(name, any) {
	gsub(/ \(Input [0-9]+\)/, "", name)
	if (name " [" variant "]" in wanted)
		return name " [" variant "]"
	any = name
	sub(/ [^:]*:/, " *:", any)
	return name in wanted ? name : any
}

function say(result, message) {
	if (result == "none")
		return "not supported"
	return result == "OK" ? "passes" : message == "" ? "fails" : "fails: " message
}

function tap(good, text) {
	count++
	bad += !good
	print (good ? "ok" : "not ok"), count, "- " text
}

FILENAME == ARGV[1] {
	if (/^#/ || !NF)
		next
	if (NF != 4 || $4 == "" || ($1 != "FAIL" && $1 != "none") || $2 in wanted) {
		tap(0, ARGV[1] ":" FNR ": malformed line")
		next
	}
	wanted[$2] = $1
	message[$2] = $3
	reason[$2] = $4
	next
}

{
	k = key($2)
	seen[k] = 1
	number[$1]++
	if (!(k in wanted))
		tap($1 == "OK", $2 ($1 == "OK" ? "" : ": " say($1, $3)))
	else if (wanted[k] == $1 && message[k] == $3)
		tap(1, $2 ": " say($1, $3) ", as expected: " reason[k])
	else
		tap(0, $2 ": " say($1, $3) ", expected: " say(wanted[k], message[k]))
}

END {
	for (k in wanted)
		if (!(k in seen) && (k !~ /\]$/ || index(k, "[" variant "]")))
			tap(0, k ": no such result, expected: " say(wanted[k], message[k]))
	print "1.." count
	printf "# %d results: %d passed, %d failed, %d not supported; %d unexpected\n", \
		number["OK"] + number["FAIL"] + number["none"], number["OK"], number["FAIL"], \
		number["none"], bad
	exit bad > 0
}
