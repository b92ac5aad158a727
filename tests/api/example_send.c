/* SPDX-License-Identifier: MIT */
/*
 * example_send.c - send a text message and say what became of it
 *
 *     cc example_send.c $(pkg-config --cflags --libs libgodwit) -o example_send
 *     WHATSAPP_TOKEN=... ./example_send 106540352242922 "+16505551234" "Hello from C"
 */
#include <stdio.h>
#include <stdlib.h>
#include <godwit/godwit.h>

int main(int argc, char **argv)
{
	gw_client_options options = GW_CLIENT_OPTIONS_INIT;
	struct gw_error err = GW_ERROR_INIT;
	gw_address to = GW_ADDRESS_INIT;
	gw_client *client = NULL;
	gw_message *message = NULL;
	gw_result result;

	if (argc != 4)
		return 64;
	options.base_url = getenv("GRAPH_URL"); /* unset: Meta's */
	options.token = getenv("WHATSAPP_TOKEN");
	to.to = gw_str_from(argv[2]);
	if (gw_client_new(&options, &client, &err) == GW_OK &&
	    gw_message_text(&to, gw_str_from(argv[3]), false, &message, &err) == GW_OK &&
	    gw_client_send_wait(client, gw_str_from(argv[1]), message, &result, &err) == GW_OK)
		printf("accepted as %.*s\n", (int)result.message_id.len, result.message_id.ptr);
	else
		fprintf(stderr, "%s (code %d, retry: %s)\n", err.message, err.code,
			gw_retry_name(err.retry));
	gw_message_free(message);
	gw_client_free(client);
	return err.status == GW_OK ? 0 : 1;
}
