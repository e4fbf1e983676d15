// SPDX-License-Identifier: GPL-2.0
/*
 * Feed a fuzzer without libFuzzer: first the files of a corpus, then random
 * mutations of them. driver CORPUS SECONDS [SEED], or driver FILE to repeat a
 * crash.
 */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define MAX_SIZE	256
#define MAX_FILES	64

static struct input { uint8_t data[MAX_SIZE]; size_t size; } corpus[MAX_FILES], input;
static unsigned int nr_files;

/* A sanitizer's report ends the program like a failed check */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "abort_on_error=1";
}

static void crashed(int sig)
{
	FILE *file = fopen("crash", "w");

	if (file && fwrite(input.data, 1, input.size, file) == input.size && !fclose(file))
		write(STDOUT_FILENO, "# the input is in: crash\n", 25);
	signal(sig, SIG_DFL);
	raise(sig);
}

static void run(void)
{
	/* A copy of the exact size, so that reads beyond it are noticed */
	uint8_t *data = malloc(input.size ? input.size : 1);

	memcpy(data, input.data, input.size);
	fuzz_one_input(data, input.size);
	free(data);
}

static int load(const char *name)
{
	FILE *file = fopen(name, "r");

	if (!file || nr_files == MAX_FILES)
		return -1;
	input.size = fread(input.data, 1, MAX_SIZE, file);
	fclose(file);
	corpus[nr_files++] = input;
	return 0;
}

static int load_all(const char *dir_name)
{
	DIR *dir = opendir(dir_name);
	struct dirent *entry;
	int ret = 0;

	if (!dir)
		return load(dir_name);
	while ((entry = readdir(dir))) {
		char name[4096];

		snprintf(name, sizeof(name), "%s/%s", dir_name, entry->d_name);
		if (entry->d_name[0] != '.')
			ret |= load(name);
	}
	closedir(dir);
	return ret;
}

static size_t pick(size_t n)
{
	return (size_t)random() % n;
}

static void change(void)
{
	static const char *const words[] = {
		"0x", "@", "-", "%", "K", "M", "G", "0", "4M", "60800000", "100000000", "ffffffff",
	};
	const struct input *other = &corpus[pick(nr_files)];
	const char *word = words[pick(ARRAY_SIZE(words))];
	size_t at = pick(input.size + 1), n;

	switch (pick(6)) {
	case 0:	/* another byte */
		if (at < input.size)
			input.data[at] = random();
		break;
	case 1:	/* one more byte, or a digit */
	case 2:	/* a word */
		n = strlen(word);
		if (input.size + n > MAX_SIZE)
			break;
		memmove(input.data + at + n, input.data + at, input.size - at);
		memcpy(input.data + at, word, n);
		input.size += n;
		break;
	case 3:	/* less */
		n = pick(input.size - at + 1) % 5;
		memmove(input.data + at, input.data + at + n, input.size - at - n);
		input.size -= n;
		break;
	case 4:	/* the rest of another input */
		if (at < other->size) {
			memcpy(input.data + at, other->data + at, other->size - at);
			input.size = other->size;
		}
		break;
	default:	/* another digit or letter nearby */
		if (at < input.size)
			input.data[at] += pick(3) - 1;
	}
}

int main(int argc, char **argv)
{
	time_t end = time(NULL) + (argc > 2 ? atoi(argv[2]) : 0);
	unsigned long runs = 0;
	unsigned int i;

	signal(SIGABRT, crashed);
	srandom(argc > 3 ? atoi(argv[3]) : 1);
	if (argc < 2 || load_all(argv[1]) || !nr_files)
		return 2;
	for (i = 0; i < nr_files; i++, runs++) {
		input = corpus[i];
		run();
	}
	for (; time(NULL) < end; runs++) {
		input = corpus[pick(nr_files)];
		for (i = 1 + pick(6); i; i--)
			change();
		run();
	}
	printf("# %lu inputs\n", runs);
	return 0;
}
