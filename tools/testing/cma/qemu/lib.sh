# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Sourced by the scripts here and in scripts/.  Sets REPO, QEMU_DIR, BUILD, J.
set -euo pipefail

QEMU_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
REPO=$(cd "$QEMU_DIR/../../../.." && pwd)
BUILD=$REPO/build
J=${J:-$(nproc)}
CROSS_COMPILE=${CROSS_COMPILE:-arm-none-eabi-}
defconfig=vexpress_defconfig # fragments are added to it; empty: to nothing
# Compile what the preprocessor printed instead of running it twice: a miss takes 30 % less
export CCACHE_NOCPP2=1
export CCACHE_NOHASHDIR=1 CCACHE_BASEDIR=$BUILD CCACHE_SLOPPINESS=include_file_mtime,include_file_ctime,time_macros
export KBUILD_BUILD_TIMESTAMP="1 January 2012" KBUILD_BUILD_USER=cma KBUILD_BUILD_HOST=qemu
mkdir -p "$BUILD"

# lock_build FILE: keep others that lock FILE from building until this process exits
lock_build() {
	mkdir -p "$(dirname "$1")"
	exec {lock}>"$1"
	flock "$lock"
}

say() { echo "$*" >&2; }

# kbuild SOURCE OBJDIR ARGS...
kbuild() {
	local source=$1 out=$2
	shift 2
	make -C "$source" O="$out" ARCH=arm CROSS_COMPILE="$CROSS_COMPILE" \
		CC="ccache ${CROSS_COMPILE}gcc" HOSTCC="ccache gcc" "$@" </dev/null
}

# progress WHAT LOG COMMAND...: run COMMAND with its output in LOG and report progress:
# on a terminal in one line that is rewritten, else in a line every 30 s
progress() {
	local what=$1 log=$2 start=$SECONDS every=30 eol='\n' pid n
	shift 2
	[[ -t 2 ]] && every=1 eol='\r'
	"$@" >"$log" 2>&1 &
	pid=$!
	while kill -0 "$pid" 2>/dev/null; do
		sleep 0.2
		((SECONDS - start > 0 && (SECONDS - start) % every == 0)) || continue
		n=$(grep -cE '^  (CC|AS|LD|HOSTCC)' "$log" || true)
		# shellcheck disable=SC2059
		printf "# %s: %d s, %d objects$eol" "$what" $((SECONDS - start)) "$n" >&2
		sleep 1
	done
	[[ ! -t 2 ]] || printf '\033[K' >&2
	wait "$pid" || {
		say "# $what failed, see $log"
		grep -E -B2 -A5 'error|Error|\*\*\*' "$log" | tail -n 20 >&2 || tail "$log" >&2
		return 1
	}
}

# own_warnings SOURCE LOG: what the compiler has warned of in files that the series adds.
# What it says of GCC 9's attributes is about the base's own module_init().
own_warnings() {
	local first
	[[ -e $1/.git ]] || return 0
	first=$(git -C "$1" rev-list --max-parents=0 HEAD)
	{
		git -C "$1" diff --diff-filter=A --name-only "$first" HEAD -- '*.[ch]' | sed 's,.*,/&:,'
		echo cma-modules/
	} | grep -F -f - "$2" | grep -E '^[^ ]+: warning: ' | grep -v Wmissing-attributes || true
}

# silent SOURCE OBJDIR LOG: there are no such warnings in OBJDIR/LOG, or print them, and
# let these files be compiled again
silent() {
	local warnings
	warnings=$(own_warnings "$1" "$2/$3" | sort -u)
	[[ $warnings ]] || return 0
	say "# ${warnings//$'\n'/$'\n'# }"
	grep -o '^[^:]*' <<<"$warnings" | (cd "$2" && xargs touch -c)
	return 1
}

# check_config CONFIG FRAGMENT...: fail unless CONFIG has the values that the fragments
# ask for. The last line about an option counts; an option that is missing is not set.
check_config() {
	local config=$1
	shift
	awk -v config="$config" '
	{ name = "" }
	/^CONFIG_[A-Za-z0-9_]+=/ { name = substr($0, 1, index($0, "=") - 1); value = substr($0, length(name) + 2) }
	/^# CONFIG_[A-Za-z0-9_]+ is not set/ { name = $2; value = "n" }
	name == "" { next }
	FILENAME == config { is[name] = value; next }
	{ want[name] = value }
	END {
		for (name in want) {
			if (!(name in is))
				is[name] = "n"
			if (want[name] != is[name]) {
				print "# " config ": " name " is " is[name] ", asked for: " want[name]
				bad = 1
			}
		}
		exit bad
	}' "$config" "$@" >&2
}

bases=$("$REPO/scripts/series" bases)

# lineage BASE: BASE, the base that it inherits its patches from, and so on
lineage() {
	local found
	found=$(sed -n "s/^\($1\( [^:]*\)\?\):.*/\1/p" <<<"$bases")
	echo "${found:-$1}"
}

# family BASE: the last of its lineage
family() {
	local all
	all=$(lineage "$1")
	echo "${all##* }"
}

# lacks BASE SECTION: does BASE drop this section of what it inherits?
lacks() {
	grep -q "^$1 .*:.* $2\b" <<<"$bases"
}

# fragments BASE NAME...: paths of the files of config/. config/NAME-BASE replaces
# config/NAME where options of BASE, and of bases that inherit from it, have other names.
# A fragment that says "Section: NAME" is left out if BASE lacks this section.
# "everything" stands for what the kernel of most scenarios has; on 6.1,
# config/tree-ref-6.1 has most of it.
fragments() {
	local base=$1 lineage family name of section names=()
	shift
	lineage=$(lineage "$base") family=${lineage##* }
	for name; do
		case $name:$family in
		everything:v3.1) names+=(heaps v4l2 no-tuners drm clcd trace area) ;;
		everything:*) names+=(area) ;;
		*) names+=("$name") ;;
		esac
	done
	for name in "${names[@]}"; do
		for of in $lineage; do
			[[ ! -e $QEMU_DIR/config/$name-$of ]] || { name+=-$of; break; }
		done
		[[ -e $QEMU_DIR/config/$name ]] || { say "no such fragment: config/$name"; return 1; }
		section=$(sed -n 's/^# Section: //p' "$QEMU_DIR/config/$name")
		[[ ! $section ]] || ! lacks "$base" "$section" || continue
		echo "$QEMU_DIR/config/$name"
	done
}

# configure SOURCE OBJDIR FRAGMENT...: $defconfig plus fragments
configure() {
	local source=$1 out=$2 want
	shift 2
	mkdir -p "$out"
	want=$out/.config.new
	cat ${defconfig:+"$source/arch/arm/configs/$defconfig"} "$@" >"$want"
	progress "configure" "$out/config.log" kbuild_config "$source" "$out" "$want" &&
		check_config "$want" "$@" || return 1
	cmp -s "$want" "$out/.config" || cp "$want" "$out/.config"
}

kbuild_config() {
	local how=oldconfig
	[[ $defconfig ]] || how=allnoconfig
	make -C "$1" O="$2" ARCH=arm CROSS_COMPILE="$CROSS_COMPILE" HOSTCC="ccache gcc" \
		KCONFIG_CONFIG="$3" KCONFIG_ALLCONFIG="$3" "$how" < <(yes "")
}
