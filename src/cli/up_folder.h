/* SPDX-License-Identifier: MIT */
/* up_folder.h - what `godwit up` keeps on disk: secrets, configuration, data, logs */
#ifndef CLI_UP_FOLDER_H
#define CLI_UP_FOLDER_H

#include "cli/cli.h"

#define UP_PATH_MAX 512
#define UP_KEY_MAX 128

struct up_folder {
	char dir[UP_PATH_MAX - 64];
	bool is_ours; /* throw-away: removed at the end */
	char data[UP_PATH_MAX], config[UP_PATH_MAX], socket[UP_PATH_MAX];
	char app_secret[UP_PATH_MAX], verify_token[UP_PATH_MAX], token[UP_PATH_MAX];
	char key[UP_PATH_MAX]; /* of the API, kept with --data */
	char gateway_log[UP_PATH_MAX], sandbox_log[UP_PATH_MAX];
};

/* Make the folder (dir NULL: a new one under the temporary folder) and the secrets in it, mode
 * 0600; those that are there already stay. */
GW_NODISCARD gw_status up_folder_open(struct up_folder *f, const char *dir, struct gw_error *err);
/* The gateway's configuration; listen is ADDRESS:PORT, sandbox a URL. */
GW_NODISCARD gw_status up_folder_configure(struct up_folder *f, const char *listen,
					   const char *sandbox, struct gw_error *err);
/* Remove what is throw-away. */
void up_folder_close(struct up_folder *f);

#endif
