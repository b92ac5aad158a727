/* SPDX-License-Identifier: MIT */
/*
 * page.c - `/`: one plain page with the live events, until the dashboard exists
 *
 * No script from elsewhere, no inline event handlers; every value is written
 * as text.  The page reads /api/v1/stream with the key of its own address.
 *
 * THREADS  The loop's.
 * TESTS    tests/system/test_page.py
 */
#include "base/panic.h"
#include "server/api.h"

static const char page[] =
	"<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Godwit</title>"
	"<meta name=\"viewport\" content=\"width=device-width\">"
	"<style nonce=\"godwit\">:root{color-scheme:light dark;font:15px/1.5 system-ui,sans-serif}"
	"body{margin:2rem auto;max-width:60rem;padding:0 1rem}h1{font-size:1.2rem}"
	"li{border-top:1px solid #8884;padding:.4rem 0;overflow-wrap:anywhere}ol{list-style:none;padding:0}"
	"time,small{color:#888}</style>"
	"<h1>Godwit: live events</h1><p id=\"state\" role=\"status\">connecting</p>"
	"<ol id=\"events\" role=\"log\" aria-live=\"polite\"></ol>"
	"<script nonce=\"godwit\">"
	"const list=document.getElementById('events'),state=document.getElementById('state');"
	"const k=new URLSearchParams(location.search).get('access_token');"
	"const es=new EventSource('/api/v1/stream'+(k?'?access_token='+encodeURIComponent(k):''));"
	"es.onopen=()=>{state.textContent='connected; newest first'};"
	"es.onerror=()=>{state.textContent='not connected; trying again'};"
	"const show=m=>{const e=JSON.parse(m.data),li=document.createElement('li'),"
	"t=document.createElement('time'),b=document.createElement('strong'),p=document.createElement('span'),"
	"s=document.createElement('small');t.textContent=e.received_at+' ';b.textContent=e.type+' ';"
	"const c=e.contact||{};p.textContent=[c.name||c.phone||'',e.status?e.status.state:'',"
	"e.message&&e.message.text?e.message.text:''].filter(Boolean).join(' \\u00b7 ');"
	"s.textContent=' '+e.id;li.append(t,b,p,s);list.prepend(li);"
	"while(list.children.length>200)list.lastChild.remove()};"
	"for(const t of ['message.received','message.edited','message.deleted','message.reaction',"
	"'message.sent_elsewhere','message.status','conversation.changed','template.changed','account.changed',"
	"'flow.changed','call.changed','group.changed','consent.changed','unknown'])es.addEventListener(t,show);"
	"</script></html>\n";

void api_page(struct api_request *r)
{
	static const struct http_header_out headers[] = {
		{ "Content-Security-Policy",
		  "default-src 'none'; script-src 'nonce-godwit'; style-src 'nonce-godwit'; "
		  "connect-src 'self'; base-uri 'none'; frame-ancestors 'none'" },
		{ "Referrer-Policy", "no-referrer" },
		{ "X-Content-Type-Options", "nosniff" },
		{ "Cache-Control", "no-store" },
	};

	http_reply(r->call, 200, "text/html; charset=utf-8", str_from(page), headers,
		   ARRAY_LEN(headers));
}
