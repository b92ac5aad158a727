/* SPDX-License-Identifier: MIT */
/*
 * ask.c - questions to the person at the terminal
 *
 * A secret is read byte by byte without echo: the terminal's line editor would
 * cut it at 4096 bytes, and its Ctrl-C would leave a terminal that shows nothing.
 *
 * TESTS  tests/system/test_init.py
 */
#include "cli/ask.h"

#include <errno.h>
#include <termios.h>
#include <unistd.h>

#define CTRL_C 3
#define CTRL_D 4
#define BACKSPACE 8
#define CTRL_U 21
#define RUBOUT 127

bool ask_may(const struct cli *cli)
{
	return !cli->no_input && isatty(STDIN_FILENO);
}

static void prompt_for(const char *prompt)
{
	(void)fflush(stdout);
	(void)fprintf(stderr, "%s: ", prompt);
	(void)fflush(stderr);
}

/* Bytes until a line end into text; EXIT_OK, EXIT_SIGINT, or EXIT_USAGE when there are too many. */
static int read_hidden(char *text, size_t cap, size_t *len)
{
	bool too_long = false;
	char c;

	*len = 0;
	for (;;) {
		ssize_t n = read(STDIN_FILENO, &c, 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0 || c == CTRL_C || c == CTRL_D)
			return EXIT_SIGINT;
		if (c == '\n' || c == '\r')
			return too_long ? EXIT_USAGE : EXIT_OK;
		if (c == BACKSPACE || c == RUBOUT)
			*len -= *len > 0;
		else if (c == CTRL_U)
			*len = 0;
		else if (*len < cap)
			text[(*len)++] = c;
		else
			too_long = true;
	}
}

int ask_secret(const struct cli *cli, const char *prompt, struct secret *out)
{
	struct termios shown, hidden;
	char text[SECRET_MAX + 64];
	struct str word;
	size_t len;
	int code;

	if (tcgetattr(STDIN_FILENO, &shown) != 0)
		return cli_failf(cli, EXIT_FAILED, NULL, "the terminal cannot be asked: %s",
				 strerror(errno));
	hidden = shown;
	hidden.c_lflag &= ~(tcflag_t)(ECHO | ICANON | ISIG);
	hidden.c_cc[VMIN] = 1;
	hidden.c_cc[VTIME] = 0;
	(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &hidden); /* before anybody is asked to type */
	prompt_for(prompt);
	code = read_hidden(text, sizeof(text), &len);
	(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &shown);
	(void)fputc('\n', stderr);
	word = str_trim(str_make(text, len));
	if (code == EXIT_OK && (word.len == 0 || word.len > SECRET_MAX))
		code = EXIT_USAGE;
	if (code == EXIT_OK)
		secret_set(out, word);
	else if (code == EXIT_USAGE)
		(void)cli_failf(cli, code, NULL, "%s: want 1 to %d bytes", prompt, SECRET_MAX);
	explicit_bzero(text, sizeof(text));
	return code;
}

int ask_line(const struct cli *cli, const char *prompt, char *out, size_t cap)
{
	char text[512];
	struct str word;

	prompt_for(prompt);
	if (fgets(text, sizeof(text), stdin) == NULL) {
		(void)fputc('\n', stderr);
		return EXIT_SIGINT;
	}
	word = str_trim(str_from(text));
	if (word.len == 0 || !str_copy(word, out, cap))
		return cli_failf(cli, EXIT_USAGE, NULL, "%s: want 1 to %zu bytes", prompt, cap - 1);
	return EXIT_OK;
}
