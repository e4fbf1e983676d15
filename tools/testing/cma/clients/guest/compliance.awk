# SPDX-License-Identifier: GPL-2.0
# awk -v node=NAME -f compliance.awk: turn the output of v4l2-compliance into results
# (see lib.sh). The first message before the line of a test is its reason.
function result(what, name, message) {
	printf "%s\t%s: %s\t%s\n", what, node, name, message
	number[what]++
}

/^[A-Z].*:$/ { section = $0 }

/^\t\tfail: / && message == "" {
	message = $0
	sub(/^\t\tfail: [^ ]*\([0-9]+\): /, "", message)
}

# The line may begin with the progress of captured frames
/\ttest [^\t]*: (OK|FAIL)[^\t]*$/ {
	sub(/^.*\ttest /, "")
	match($0, /: (OK|FAIL).*$/)
	name = section " " substr($0, 1, RSTART - 1)
	what = substr($0, RSTART + 2)
	# A child prints again what the buffer held at fork()
	if ((name, what) in said)
		next
	said[name, what] = 1
	if (what == "OK (Not Supported)")
		result("none", name)
	else
		result(what == "OK" ? "OK" : "FAIL", name, what == "OK" ? "" : message)
	message = ""
}

/^Total for / {
	match($0, /: [0-9]+,/)
	total = substr($0, RSTART + 2, RLENGTH - 3)
	match($0, /Failed: [0-9]+/)
	failed = substr($0, RSTART + 8, RLENGTH - 8)
	same = total == number["OK"] + number["FAIL"] + number["none"] && failed == number["FAIL"] + 0
	result(same ? "OK" : "FAIL", "the total matches the results", "")
	done = 1
}

END {
	if (!done)
		result("FAIL", "a total is printed", "")
}
