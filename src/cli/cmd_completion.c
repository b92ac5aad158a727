/* SPDX-License-Identifier: MIT */
/*
 * cmd_completion.c - godwit completion: what a shell needs to complete godwit's words
 *
 * The scripts ask the program itself (complete.c) whenever a key is pressed, so
 * they are as new as the program is.
 *
 * TESTS  tests/system/test_completion.py
 */
#include "base/panic.h"
#include "cli/complete.h"
#include "cli/opt.h"

#define ANSWER_MAX (1U << 20)

extern const struct cmd cmd_completion;

/* "~/bin/godwit" and "./godwit" are asked as they were typed. */
static const char bash[] =
	"# bash completion for godwit: godwit completion bash\n"
	"_godwit()\n"
	"{\n"
	"\tlocal word rest cur=${COMP_WORDS[COMP_CWORD]} program=${COMP_WORDS[0]/#\\~/$HOME}\n"
	"\t[ \"$cur\" = = ] && cur=\n"
	"\tCOMPREPLY=()\n"
	"\twhile IFS=$'\\t' read -r word rest; do\n"
	"\t\tcase $word in\n"
	"\t\t:files) compopt -o filenames\n"
	"\t\t\tmapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- \"$cur\") ;;\n"
	"\t\t:dirs) compopt -o filenames\n"
	"\t\t\tmapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -d -- \"$cur\") ;;\n"
	"\t\t*=) compopt -o nospace\n"
	"\t\t\tCOMPREPLY+=(\"$word\") ;;\n"
	"\t\t*) COMPREPLY+=(\"$word\") ;;\n"
	"\t\tesac\n"
	"\tdone < <(\"$program\" completion --words -- "
	"\"${COMP_WORDS[@]:1:COMP_CWORD}\" 2>/dev/null)\n"
	"}\n"
	"complete -F _godwit godwit\n";

static const char zsh[] =
	"#compdef godwit\n"
	"# zsh completion for godwit: godwit completion zsh\n"
	"_godwit()\n"
	"{\n"
	"\tlocal line word tab=$'\\t'\n"
	"\tlocal -a found open\n"
	"\tfor line in \"${(@f)$(\"${words[1]/#\\~/$HOME}\" completion --words -- "
	"\"${(@)words[2,CURRENT]}\" 2>/dev/null)}\"; do\n"
	"\t\tword=${line%%$tab*}\n"
	"\t\tcase $word in\n"
	"\t\t(:files) _files ;;\n"
	"\t\t(:dirs) _files -/ ;;\n"
	"\t\t(*=) open+=(\"${word//:/\\\\:}:${line#*$tab}\") ;;\n"
	"\t\t(?*) found+=(\"${word//:/\\\\:}:${line#*$tab}\") ;;\n"
	"\t\tesac\n"
	"\tdone\n"
	"\t(( $#open )) && _describe -t keys key open -S ''\n"
	"\t(( $#found )) && _describe -t words godwit found\n"
	"\treturn 0\n"
	"}\n"
	"if [ \"$funcstack[1]\" = _godwit ]; then\n"
	"\t_godwit \"$@\"\n"
	"else\n"
	"\tcompdef _godwit godwit\n"
	"fi\n";

static const char fish[] =
	"# fish completion for godwit: godwit completion fish\n"
	"function __godwit_words\n"
	"\tset -l words (commandline -opc)\n"
	"\tset -l current (commandline -ct)\n"
	"\ttest (count $current) -eq 0; and set current ''\n"
	"\tset -l program $words[1]\n"
	"\tset -e words[1]\n"
	"\tfor line in ($program completion --words -- $words $current 2>/dev/null)\n"
	"\t\tswitch $line\n"
	"\t\t\tcase ':files*'\n"
	"\t\t\t\t__fish_complete_path $current\n"
	"\t\t\tcase ':dirs*'\n"
	"\t\t\t\t__fish_complete_directories $current\n"
	"\t\t\tcase '*'\n"
	"\t\t\t\techo $line\n"
	"\t\tend\n"
	"\tend\n"
	"end\n"
	"complete -c godwit -f -a '(__godwit_words)'\n";

static const struct {
	const char *shell, *script;
} scripts[] = { { "bash", bash }, { "zsh", zsh }, { "fish", fish } };

static int print_words(struct cli *cli, int argc, char **argv)
{
	struct buf b;

	buf_init(&b, ANSWER_MAX);
	complete_put(cli, argc, argv, &b);
	ASSERT(!buf_failed(&b));
	printf("%.*s", STR_ARG(buf_str(&b)));
	buf_release(&b);
	return cli_done(cli, EXIT_OK);
}

static int run(struct cli *cli, int argc, char **argv)
{
	bool words = false;
	const struct opt opts[] = { { OPT_FLAG, 0, "words", &words, NULL, NULL }, OPT_END };

	if (!opt_parse(cli, &cmd_completion, opts, &argc, &argv))
		return cli->code;
	if (words)
		return print_words(cli, argc, argv);
	for (size_t i = 0; argc == 1 && i < ARRAY_LEN(scripts); i++) {
		if (strcmp(scripts[i].shell, argv[0]) != 0)
			continue;
		(void)fputs(scripts[i].script, stdout);
		return cli_done(cli, EXIT_OK);
	}
	return cli_failf(cli, EXIT_USAGE, "godwit completion bash, zsh or fish",
			 argc == 1 ? "there is no script for \"%s\"" : "for which shell?%.0s",
			 argc == 1 ? argv[0] : "");
}

const struct cmd cmd_completion = {
	.name = "completion",
	.args = "bash|zsh|fish",
	.args_max = -1, /* with --words: the words on the command line */
	.help = "print what a shell needs to complete the words of godwit",
	.more = "The Debian package has installed it. Without it:\n"
		"  bash  source <(godwit completion bash)      in ~/.bashrc\n"
		"  zsh   source <(godwit completion zsh)       in ~/.zshrc, behind compinit\n"
		"  fish  godwit completion fish | source       in ~/.config/fish/config.fish",
	.run = run,
};
