/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kernel wants to know of gcc 5 and every later gcc.
 */
#ifndef __LINUX_COMPILER_H
#error "Please don't include <linux/compiler-gcc5.h> directly, include <linux/compiler.h> instead."
#endif

#define __used				__attribute__((__used__))
#define __must_check			__attribute__((warn_unused_result))
#define __compiler_offsetof(a, b)	__builtin_offsetof(a, b)
#define __cold				__attribute__((__cold__))
#define __noclone			__attribute__((__noclone__))
#define unreachable()			__builtin_unreachable()

/*
 * __compiletime_object_size() stays undefined: what copy_from_user() checks
 * with it was written for the inlining of gcc 4 and is wrong about later ones.
 */
#ifndef __CHECKER__
#define __compiletime_warning(message)	__attribute__((warning(message)))
#define __compiletime_error(message)	__attribute__((error(message)))
#endif
