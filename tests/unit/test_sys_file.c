/* SPDX-License-Identifier: MIT */
/* test_sys_file.c - whole files, folders, the lock, and the folder of the socket */
#include "unit.h"

#include "base/fault.h"
#include "base/sys_file.h"

#include <dirent.h>
#include <sys/stat.h>

/* Each test works in a folder of its own, removed afterwards. */
static char folder[64];

static int set_up(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/godwit-test-XXXXXX");
	return mkdtemp(folder) == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	return sys_remove_dir(folder, NULL) == GW_OK ? 0 : -1;
}

static const char *in_folder(const char *name, char out[256])
{
	(void)snprintf(out, 256, "%s/%s", folder, name);
	return out;
}

static unsigned mode_of(const char *path)
{
	struct stat info;

	assert_int_equal(stat(path, &info), 0);
	return (unsigned)info.st_mode & 07777;
}

static size_t entries(const char *path)
{
	DIR *d = opendir(path);
	size_t count = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		count++;
	(void)closedir(d);
	return count - 2; /* "." and ".." */
}

static void check_content(const char *path, struct str want)
{
	struct buf b;

	buf_init(&b, 10000000);
	CHECK_INT(path, GW_OK, sys_read_file(path, &b, NULL));
	assert_true(str_eq(want, buf_str(&b)));
	buf_release(&b);
}

static void write_and_read(void **state)
{
	static const size_t sizes[] = { 0, 1, 65535, 65536, 65537, 3000000 };
	static char bytes[3000000];
	char path[256];

	(void)state;
	(void)in_folder("file", path);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 31 >> 3);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct str want = str_make(bytes, sizes[i]);

		CHECK_INT("write", GW_OK, sys_write_file(path, want, 0600, NULL));
		check_content(path, want);
		CHECK_INT("nothing left over", 1, entries(folder));
	}
}

static void write_sets_the_mode(void **state)
{
	static const unsigned modes[] = { 0600, 0644, 0400 };
	mode_t before = umask(0077);
	char path[256];

	(void)state;
	(void)in_folder("file", path);
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) { /* over the last one, too */
		CHECK_INT("write", GW_OK, sys_write_file(path, STR("x"), modes[i], NULL));
		CHECK_INT("mode", modes[i], mode_of(path));
	}
	(void)umask(before);
}

static void read_ceiling_both_sides(void **state)
{
	static const struct {
		size_t max;
		gw_status want;
	} cases[] = { { 9, GW_ELIMIT }, { 10, GW_OK }, { 11, GW_OK }, { 100000, GW_OK } };
	char path[256];

	(void)state;
	(void)in_folder("file", path);
	CHECK_INT("write", GW_OK, sys_write_file(path, STR("0123456789"), 0600, NULL));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct gw_error err = GW_ERROR_INIT;
		struct buf b;

		buf_init(&b, cases[i].max);
		CHECK_INT("read", cases[i].want, sys_read_file(path, &b, &err));
		CHECK_STR("bytes", cases[i].want == GW_OK ? "0123456789" : "", buf_str(&b));
		if (cases[i].want != GW_OK)
			assert_non_null(strstr(err.message, "larger than 9 bytes"));
		buf_check(&b);
		buf_release(&b);
	}
}

static void read_failures(void **state)
{
	struct gw_error err = GW_ERROR_INIT;
	char path[256];
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	buf_put_text(&b, "before");
	CHECK_INT("missing", GW_ENOTFOUND, sys_read_file(in_folder("none", path), &b, &err));
	assert_non_null(strstr(err.message, path));
	assert_non_null(strstr(err.message, "No such file"));
	CHECK_INT("a folder", GW_EIO, sys_read_file(folder, &b, NULL));
	CHECK_STR("untouched", "before", buf_str(&b));
	CHECK_INT("/proc", GW_ELIMIT, sys_read_file("/proc/self/status", &b, NULL));
	CHECK_STR("untouched", "before", buf_str(&b));
	buf_release(&b);
}

static void write_failures(void **state)
{
	struct gw_error err = GW_ERROR_INIT;
	char path[256], longer[5000];

	(void)state;
	CHECK_INT("no folder", GW_EIO,
		  sys_write_file(in_folder("none/file", path), STR("x"), 0600, &err));
	assert_non_null(strstr(err.message, path));
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	CHECK_INT("long path", GW_ELIMIT, sys_write_file(longer, STR("x"), 0600, NULL));
	CHECK_INT("long folder", GW_ELIMIT, sys_make_dir(longer, NULL));
	CHECK_INT("onto a folder", GW_OK, sys_make_dir(in_folder("dir", path), NULL));
	CHECK_INT("onto a folder", GW_EIO, sys_write_file(path, STR("x"), 0600, NULL));
	CHECK_INT("nothing left over", 1, entries(folder));
}

#ifdef GW_FAULTS
/* What the process of write_new() does; 0: it failed the way it should. */
static int write_and_fail(const char *path)
{
	struct gw_error err = GW_ERROR_INIT;
	gw_status st = sys_write_file(path, STR("new"), 0600, &err);

	return st == GW_EIO && strstr(err.message, "Input/output error") != NULL ? 0 : 1;
}

/* In this program started afresh, since a process reads its fault points once. */
static void write_new(const char *fault, const char *path)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		(void)setenv("GODWIT_FAULT", fault, 1);
		(void)execl("/proc/self/exe", "test_sys_file", path, (char *)NULL);
		_exit(2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (str_ends(str_from(fault), STR("kill")))
		CHECK_INT(fault, SIGKILL, WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	else
		CHECK_INT(fault, 0, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

static void all_or_nothing(void **state)
{
	static const struct {
		const char *fault;
		size_t left; /* entries afterwards: a kill may leave the temporary file */
	} cases[] = {
		{ "file.write:1:fail", 1 }, { "file.sync:1:fail", 1 }, { "file.rename:1:fail", 1 },
		{ "file.write:1:kill", 2 }, { "file.sync:1:kill", 3 }, { "file.rename:1:kill", 4 },
	};
	char path[256];

	(void)state;
	(void)in_folder("file", path);
	CHECK_INT("write", GW_OK, sys_write_file(path, STR("old"), 0600, NULL));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		write_new(cases[i].fault, path);
		check_content(path, STR("old"));
		CHECK_INT(cases[i].fault, cases[i].left, entries(folder));
	}
}
#endif

static void make_dirs(void **state)
{
	struct gw_error err = GW_ERROR_INIT;
	char path[256];

	(void)state;
	CHECK_INT("nested", GW_OK, sys_make_dir(in_folder("a/b/c", path), &err));
	CHECK_INT("mode", 0700, mode_of(path));
	CHECK_INT("parent's mode", 0700, mode_of(in_folder("a", path)));
	CHECK_INT("again", GW_OK, sys_make_dir(in_folder("a/b/c", path), &err));
	CHECK_INT("slashes", GW_OK, sys_make_dir(in_folder("a//d///", path), &err));
	CHECK_INT("made", 2, entries(in_folder("a", path)));
	CHECK_INT("root", GW_OK, sys_make_dir("/", &err));
	CHECK_INT("file", GW_OK, sys_write_file(in_folder("f", path), STR("x"), 0600, NULL));
	CHECK_INT("a file is there", GW_EIO, sys_make_dir(path, &err));
	assert_non_null(strstr(err.message, "Not a directory"));
	gw_error_clear(&err);
	CHECK_INT("a file above", GW_EIO, sys_make_dir(in_folder("f/x", path), &err));
	gw_error_clear(&err);
	CHECK_INT("nothing", GW_EARG, sys_make_dir("", &err));
}

static void relative_paths(void **state)
{
	int here = open(".", O_RDONLY | O_DIRECTORY);

	(void)state;
	assert_int_equal(chdir(folder), 0);
	CHECK_INT("folder", GW_OK, sys_make_dir("a/b", NULL));
	CHECK_INT("file", GW_OK, sys_write_file("file", STR("x"), 0600, NULL));
	check_content("file", STR("x"));
	assert_int_equal(fchdir(here), 0);
	(void)close(here);
}

static void remove_dirs(void **state)
{
	char path[256], outside[256], link[256];
	struct gw_error err = GW_ERROR_INIT;

	(void)state;
	CHECK_INT("make", GW_OK, sys_make_dir(in_folder("out", outside), NULL));
	CHECK_INT("keep", GW_OK, sys_write_file(in_folder("out/keep", path), STR("x"), 0600, NULL));
	CHECK_INT("make", GW_OK, sys_make_dir(in_folder("dir/a/b", path), NULL));
	CHECK_INT("fill", GW_OK, sys_write_file(in_folder("dir/a/f", path), STR("x"), 0400, NULL));
	assert_int_equal(symlink(outside, in_folder("dir/link", link)), 0);
	CHECK_INT("remove", GW_OK, sys_remove_dir(in_folder("dir", path), &err));
	CHECK_INT("a link is not followed", 1, entries(outside));
	CHECK_INT("gone", GW_ENOTFOUND, sys_remove_dir(path, &err));
	gw_error_clear(&err);
	CHECK_INT("a file", GW_ESTATE, sys_remove_dir(in_folder("out/keep", path), &err));
	assert_int_equal(symlink(outside, in_folder("link", link)), 0);
	CHECK_INT("a link", GW_ESTATE, sys_remove_dir(link, NULL));
	CHECK_INT("still there", 1, entries(outside));
}

static void lock_names_the_holder(void **state)
{
	struct gw_error err = GW_ERROR_INIT;
	char path[256], want[400];
	int fd = -1, second = -77;

	(void)state;
	(void)in_folder("godwit.lock", path);
	CHECK_INT("first", GW_OK, sys_lock_file(path, &fd, &err));
	CHECK_INT("mode", 0600, mode_of(path));
	(void)snprintf(want, sizeof(want), "%ld\n", (long)getpid());
	check_content(path, str_from(want));
	CHECK_INT("second", GW_EBUSY, sys_lock_file(path, &second, &err));
	CHECK_INT("untouched", -77, second);
	(void)snprintf(want, sizeof(want), "%s is locked by process %ld", path, (long)getpid());
	assert_string_equal(err.message, want);
	gw_error_clear(&err);
	assert_int_equal(ftruncate(fd, 0), 0); /* locked, number not written yet */
	CHECK_INT("nameless", GW_EBUSY, sys_lock_file(path, &second, &err));
	assert_non_null(strstr(err.message, "is locked by another process"));
	gw_error_clear(&err);
	(void)close(fd);
	CHECK_INT("free again", GW_OK, sys_lock_file(path, &fd, &err));
	(void)close(fd);
	CHECK_INT("no folder", GW_EIO, sys_lock_file(in_folder("no/lock", path), &fd, &err));
}

/* A longer number of a process that died must not leave digits behind. */
static void lock_replaces_an_old_number(void **state)
{
	char path[256], want[32];
	int fd = -1;

	(void)state;
	(void)in_folder("godwit.lock", path);
	CHECK_INT("old", GW_OK, sys_write_file(path, STR("99999999999999\n"), 0600, NULL));
	CHECK_INT("lock", GW_OK, sys_lock_file(path, &fd, NULL));
	(void)snprintf(want, sizeof(want), "%ld\n", (long)getpid());
	check_content(path, str_from(want));
	(void)close(fd);
}

static void default_socket(void **state)
{
	struct gw_error err = GW_ERROR_INIT;
	char out[200] = "before", want[256], path[256];
	size_t need;

	(void)state;
	(void)setenv("XDG_RUNTIME_DIR", folder, 1);
	CHECK_INT("runtime folder", GW_OK, sys_default_socket(out, sizeof(out), &err));
	assert_string_equal(out, in_folder("godwit/sock", want));
	CHECK_INT("mode", 0700, mode_of(in_folder("godwit", path)));
	need = strlen(out) + 1;
	CHECK_INT("just enough", GW_OK, sys_default_socket(out, need, &err));
	CHECK_INT("one less", GW_ELIMIT, sys_default_socket(out, need - 1, &err));
	gw_error_clear(&err);
	assert_int_equal(chmod(path, 0750), 0);
	CHECK_INT("open to others", GW_EAUTH, sys_default_socket(out, sizeof(out), &err));
	assert_non_null(strstr(err.message, "chmod 700"));
	gw_error_clear(&err);
	(void)setenv("TMPDIR", folder, 1);
	(void)snprintf(want, sizeof(want), "%s/godwit-%u/sock", folder, (unsigned)geteuid());
	(void)setenv("XDG_RUNTIME_DIR", "relative", 1);
	CHECK_INT("relative", GW_OK, sys_default_socket(out, sizeof(out), &err));
	assert_string_equal(out, want);
	(void)setenv("XDG_RUNTIME_DIR", "/nonexistent", 1);
	CHECK_INT("not there", GW_OK, sys_default_socket(out, sizeof(out), &err));
	assert_string_equal(out, want);
	(void)unsetenv("XDG_RUNTIME_DIR");
	CHECK_INT("unset", GW_OK, sys_default_socket(out, sizeof(out), &err));
	assert_string_equal(out, want);
}

static void socket_folder_must_be_ours(void **state)
{
	char path[256], target[256], out[200] = "before";

	(void)state;
	(void)setenv("XDG_RUNTIME_DIR", folder, 1);
	assert_int_equal(mkdir(in_folder("target", target), 0700), 0);
	assert_int_equal(symlink(target, in_folder("godwit", path)), 0);
	CHECK_INT("a link", GW_EAUTH, sys_default_socket(out, sizeof(out), NULL));
	assert_string_equal(out, "before");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	if (geteuid() == 0 && chown(path, 65534, 65534) == 0)
		CHECK_INT("of another", GW_EAUTH, sys_default_socket(out, sizeof(out), NULL));
	assert_int_equal(chown(path, geteuid(), getegid()), 0);
}

/* What a socket's address can hold is 108 bytes with the NUL, whatever the caller has. */
static void socket_path_limit(void **state)
{
	char name[300], out[400];

	(void)state;
	for (size_t len = 94; len <= 96; len++) { /* + "/godwit/sock" is 12 */
		size_t pad = len - strlen(folder) - 1;

		(void)snprintf(name, sizeof(name), "%s/%0*d", folder, (int)pad, 0);
		assert_int_equal(mkdir(name, 0700), 0);
		(void)setenv("XDG_RUNTIME_DIR", name, 1);
		CHECK_INT("limit", len + 12 + 1 <= 108 ? GW_OK : GW_ELIMIT,
			  sys_default_socket(out, sizeof(out), NULL));
	}
}

static void numbers_of_the_system(void **state)
{
	int64_t before = sys_cpu_us();

	(void)state;
	assert_true(sys_disk_free("/") > 0);
	CHECK_INT("no such place", -1, sys_disk_free("/nonexistent"));
	assert_true(sys_rss_bytes() > 100000);
	while (sys_cpu_us() == before)
		continue; /* it counts */
	assert_true(sys_cpu_us() > before);
}

int main(int argc, char **argv)
{
#define IN_FOLDER(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		IN_FOLDER(write_and_read),
		IN_FOLDER(write_sets_the_mode),
		IN_FOLDER(read_ceiling_both_sides),
		IN_FOLDER(read_failures),
		IN_FOLDER(write_failures),
#ifdef GW_FAULTS
		IN_FOLDER(all_or_nothing),
#endif
		IN_FOLDER(make_dirs),
		IN_FOLDER(relative_paths),
		IN_FOLDER(remove_dirs),
		IN_FOLDER(lock_names_the_holder),
		IN_FOLDER(lock_replaces_an_old_number),
		IN_FOLDER(default_socket),
		IN_FOLDER(socket_folder_must_be_ours),
		IN_FOLDER(socket_path_limit),
		cmocka_unit_test(numbers_of_the_system),
	};

#ifdef GW_FAULTS
	if (argc == 2)
		return write_and_fail(argv[1]);
#endif
	(void)argc;
	(void)argv;
	return cmocka_run_group_tests_name("sys_file", tests, NULL, NULL);
}
