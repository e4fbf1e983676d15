# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Build the kernel's files for this machine, unchanged. CMA_SRC: another copy of them.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repo=$(cd "$here/../../../.." && pwd)
src=${CMA_SRC:-$repo}
out=${CMA_OUT:-$repo/build/host}
kernel=("$src"/drivers/base/{cma,dma-contiguous,dma-contiguous-param}.c)
cflags=(-std=gnu11 -O1 -g -Wall -Werror -pthread
	"-fsanitize=address,undefined" -fno-sanitize-recover=all -fno-omit-frame-pointer
	-DCONFIG_CMA=1 -DCONFIG_DMA_CMA=1 -DCONFIG_CMA_AREAS=7)
# A mistake that is put into a copy may leave something unused
[[ ! ${CMA_SRC-} ]] || cflags+=(-Wno-unused)

# Each header of the kernel that is not ours is replaced by stubs.h
stub_headers() {
	local h
	while read -r h; do
		[[ -e $src/include/$h || -e $src/arch/arm/include/$h ]] && continue
		mkdir -p "$out/include/${h%/*}"
		echo '#include "stubs.h"' > "$out/include/$h"
	done < <(grep -hoP '^#\s*include <\K(linux|asm|trace)/[^>]+' "$src"/drivers/base/cma*.[ch] "${kernel[@]}" \
		"$src"/mm/contig-holders.c \
		"$src"/include/{linux,trace/events}/*.h "$src"/arch/arm/include/asm/*.h | sort -u)
	# The C library includes this header
	echo '#include_next <linux/errno.h>' >> "$out/include/linux/errno.h"
}

# build NAME COMPILER FILES-AND-FLAGS...: make build/host/NAME from these, the kernel's files and stubs
build() {
	local name=$1 cc=$2
	shift 2
	stub_headers
	"$cc" "${cflags[@]}" -I"$here/lib" -I"$here/../guest/lib" -I"$out/include" -I"$src/include" \
		-I"$src/arch/arm/include" -I"$src/drivers/base" -DUNIT="\"$name\"" \
		-o "$out/$name" "${kernel[@]}" "$here/lib/stubs.c" "$@"
}

# Can this machine build and run 32-bit programs with the sanitizers? Not with CMA_NO_M32. Sets m32.
# (Not with gcc-multilib: Debian cannot have that and a cross compiler.)
has_m32() {
	m32=(-m32 -idirafter "/usr/include/$(gcc -print-multiarch)")
	[[ -z ${CMA_NO_M32-} ]] || return
	mkdir -p "$out"
	printf '#include <errno.h>\nint main(void) { return 0; }\n' > "$out/m32.c"
	gcc "${m32[@]}" -fsanitize=address,undefined -o "$out/m32" "$out/m32.c" 2>/dev/null &&
		"$out/m32"
}

# The file for v3.1's ARM. Each header that is not ours is replaced by arm.h. Sets arm and headers.
arm_headers() {
	local h
	arm=$src/arch/arm/mm/dma-contiguous.c
	headers=$out/include-arm
	mkdir -p "$headers"
	while read -r h; do
		[[ $h != trace/* && -e $src/include/$h || -e $src/arch/arm/include/$h ]] && continue
		mkdir -p "$headers/$(dirname "$h")"
		echo '#include "arm.h"' > "$headers/$h"
	done < <(grep -hoP '^#\s*include [<"]\K[^>"]+\.h' "$arm" \
		"$src"/include/linux/{cma,dma-contiguous}.h "$src/arch/arm/include/asm/dma-contiguous.h" | sort -u)
	echo '#include_next <linux/errno.h>' >> "$headers/linux/errno.h"
}

# The model of caches in front of that file. Sets flags, and objects, which build_cache links, too.
cache_model() {
	arm_headers
	objects=()
	flags=(-Wno-pointer-arith -DCONFIG_CMA_ALIGNMENT=0 -DCONFIG_HIGHMEM=1 -I"$headers" -I"$here/lib"
		-I"$here/../guest/lib" -I"$src/include" -I"$src/arch/arm/include")
	# The search has no pointers of the kernel, and is much slower with the sanitizers
	gcc -std=gnu11 -O2 -Wall -Werror -c -o "$out/cache-model.o" "$here/lib/cache.c"
}

# build_cache UNIT TESTS FLAGS-AND-OBJECTS...: with the tests in the file TESTS
build_cache() {
	local unit=$1 tests=$2
	shift 2
	gcc "${cflags[@]}" "${flags[@]}" -Dmemset=cache_memset -c -o "$out/$unit-kernel.o" "$arm" "$@"
	gcc "${cflags[@]}" "${flags[@]}" -DUNIT="\"$unit\"" -o "$out/$unit" "$out/$unit-kernel.o" \
		"${objects[@]}" "$out/cache-model.o" "$tests" "$here"/lib/{arm,console}.c "$@"
}

# Where the base's files for streaming mappings are, or "no". CMA_BASE: another copy, or "no".
base_files() {
	echo "${CMA_BASE:-$(BASE=v3.1 DOWNLOAD=no "$repo/scripts/base-tree" 2>/dev/null || echo no)}"
}

# base_headers DIR STUBS FILES...: headers in DIR that include STUBS, for those that FILES include
base_headers() {
	local dir=$1 stubs=$2 h
	shift 2
	while read -r h; do
		[[ $h != asm/dma-mapping.h ]] || continue
		mkdir -p "$dir/$(dirname "$h")"
		[[ ! -e $src/include/$h && ! -e $src/arch/arm/include/$h ]] || continue
		echo "#include \"$stubs\"" > "$dir/$h"
	done < <(grep -hoP '^#\s*include (<|"(?!dma-(heap|iova|ops)))\K[^>"]+\.h' "$@" | sort -u)
	echo '#include_next <linux/errno.h>' > "$dir/linux/errno.h"
}
