/* SPDX-License-Identifier: MIT */
/*
 * replay.c - feed a fuzzing target the inputs that are kept, without libFuzzer
 *
 * ROLE     The normal suite runs every seed and every input that ever broke a
 *          target, under the sanitizers, with whatever compiler there is.
 *          Speaks TAP: one case for each file; a crash ends the program, and
 *          the line above it names the file.
 * FAILURE  A file that cannot be read, or folders without any file, fail.
 */
#include "fuzz.h"
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define PATH_BYTES 4096

static bool replay(const char *path)
{
	uint8_t *data = NULL;
	bool ok = false;
	struct stat st;
	FILE *f;

	f = fopen(path, "rb");
	if (f == NULL || fstat(fileno(f), &st) != 0)
		goto out;
	data = malloc(st.st_size > 0 ? (size_t)st.st_size : 1);
	if (data == NULL || fread(data, 1, (size_t)st.st_size, f) != (size_t)st.st_size)
		goto out;
	printf("# %s\n", path);
	(void)fflush(stdout); /* the target may not come back */
	fuzz_one(data, (size_t)st.st_size);
	ok = true;
out:
	free(data);
	if (f != NULL)
		(void)fclose(f); /* read only */
	return ok;
}

/* Every plain file of a folder; one that is not there holds none. */
static int replay_folder(const char *folder, int done)
{
	char path[PATH_BYTES];
	struct dirent *entry;
	DIR *dir;

	dir = opendir(folder);
	if (dir == NULL)
		return done;
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		done++;
		printf("%s %d - %s\n", replay(path) ? "ok" : "not ok", done, entry->d_name);
	}
	(void)closedir(dir);
	return done;
}

int main(int argc, char **argv)
{
	int done = 0;

	for (int i = 1; i < argc; i++)
		done = replay_folder(argv[i], done);
	printf("1..%d\n", done);
	return done > 0 ? 0 : 1;
}
