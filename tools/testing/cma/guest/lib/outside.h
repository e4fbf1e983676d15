/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Use up memory outside of the area, with pages that can be neither moved nor
 * reclaimed. Include guest.h first.
 */
#ifndef OUTSIDE_H
#define OUTSIDE_H

#define PIPE_KB		64

/* The pages of a pipe can be neither moved nor reclaimed. */
static inline void fill_pipe(void)
{
	static char data[PIPE_KB * 1024];
	int fd[2];

	REQUIRE(!pipe(fd), "pipe: %s", strerror(errno));
	REQUIRE(write(fd[1], data, sizeof(data)) == sizeof(data), "pipe: %s",
		strerror(errno));
}

/* Take the area, so that what is allocated next is outside of it. */
static inline void take_area(void)
{
	char text[32];
	long nr_pages;

	read_file(AREA "maxchunk", text, sizeof(text));
	for (nr_pages = atol(text); nr_pages >= 256; nr_pages /= 2) {
		snprintf(text, sizeof(text), "%ld", nr_pages);
		while (!write_file(AREA "alloc", text))
			;
	}
}

#endif
