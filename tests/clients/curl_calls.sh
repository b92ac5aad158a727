# SPDX-License-Identifier: MIT
# curl_calls.sh - curl: everything of the Cloud API that guides do besides messages; sh curl_calls.sh
set -u
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT
api="$BASE_URL/v26.0"
auth="Authorization: Bearer $TOKEN"

# report CALL STATUS: one JSON line of what the call before left in $answer
report()
{
	if [ "$2" = 200 ]; then
		printf '{"call":"%s","ok":true,"out":%s}\n' "$1" "$(tr '\n' ' ' <"$answer")"
	else
		code=$(sed -n 's/.*"code":\([0-9]*\).*/\1/p' "$answer")
		printf '{"call":"%s","ok":false,"code":%s,"error":"%s"}\n' "$1" "${code:-null}" \
			"$2 $(tr -d '\n\\"' <"$answer")"
	fi
}

# graph CALL METHOD PATH [JSON]
graph()
{
	if [ $# -gt 3 ]; then
		status=$(curl -s -o "$answer" -w '%{http_code}' -X "$2" "$api/$3" -H "$auth" \
			-H 'Content-Type: application/json' -d "$4")
	else
		status=$(curl -s -o "$answer" -w '%{http_code}' -X "$2" "$api/$3" -H "$auth")
	fi
	report "$1" "$status"
}

# member NAME: the first member of that name in $answer
member()
{
	sed -n 's/.*"'"$1"'":"\([^"]*\)".*/\1/p' "$answer" | sed 's#\\/#/#g'
}

status=$(curl -s -o "$answer" -w '%{http_code}' -X POST "$api/$NUMBER/media" -H "$auth" \
	-F 'messaging_product=whatsapp' -F 'type=image/jpeg' -F "file=@$FILE;type=image/jpeg")
report media_upload "$status"
medium=$(member id)
graph media_get GET "$medium?phone_number_id=$NUMBER"
url=$(member url)
type=$(curl -s -o "$answer" -w '%{content_type}' "$url" -H "$auth")
printf '{"call":"media_download","ok":true,"out":{"type":"%s","sha256":"%s"}}\n' "$type" \
	"$(sha256sum "$answer" | cut -d ' ' -f 1)"
graph media_send POST "$NUMBER/messages" '{
  "messaging_product": "whatsapp",
  "to": "'"${TO%??}11"'",
  "type": "image",
  "image": { "id": "'"$medium"'", "caption": "Your table" }
}'
graph media_delete DELETE "$medium"

names= links=0
status=$(curl -s -o "$answer" -w '%{http_code}' "$api/$WABA/message_templates?fields=name,status&limit=2" -H "$auth")
while :; do
	names="$names$(grep -o '"name":"[^"]*"' "$answer" | sed 's/"name"://' | tr '\n' ',')"
	next=$(member next)
	[ -n "$next" ] || break
	status=$(curl -s -o "$answer" -w '%{http_code}' "$next")
	links=$((links + 1))
done
printf '{"names":[%s],"links":%s}' "${names%,}" "$links" >"$answer"
report templates_list "$status"
graph template_create POST "$WABA/message_templates" '{
  "name": "'"$NAME"'",
  "language": "en",
  "category": "UTILITY",
  "components": [
    { "type": "BODY", "text": "Hi {{1}}, your table is booked.", "example": { "body_text": [ [ "Ana" ] ] } },
    { "type": "FOOTER", "text": "Bistro" }
  ]
}'
graph template_find GET "$WABA/message_templates?name=$NAME"
graph template_delete DELETE "$WABA/message_templates?name=$NAME"

graph profile_set POST "$NUMBER/whatsapp_business_profile" '{
  "messaging_product": "whatsapp",
  "about": "'"$NAME"'",
  "websites": [ "https://shop.example" ],
  "vertical": "RESTAURANT"
}'
graph profile_get GET "$NUMBER/whatsapp_business_profile?fields=about,websites,vertical"

graph qr_create POST "$NUMBER/message_qrdls" '{ "prefilled_message": "'"$NAME"'", "generate_qr_image": "SVG" }'
code=$(member code)
status=$(curl -s -o "$answer" -w '%{http_code}' "$api/$NUMBER/message_qrdls" -H "$auth")
printf '{"data":[%s]}' "$(grep -o '{"code":"'"$code"'"[^}]*}' "$answer")" >"$answer.one"
mv "$answer.one" "$answer"
report qr_list "$status"
graph qr_get GET "$NUMBER/message_qrdls/$code"
graph qr_update POST "$NUMBER/message_qrdls" '{ "code": "'"$code"'", "prefilled_message": "'"$NAME"' 2" }'
graph qr_delete DELETE "$NUMBER/message_qrdls/$code"

users='{ "messaging_product": "whatsapp", "block_users": [ { "user": "'"$TO"'" } ] }'
graph block_add POST "$NUMBER/block_users" "$users"
graph block_list GET "$NUMBER/block_users"
graph block_remove DELETE "$NUMBER/block_users" "$users"

graph number_get GET "$NUMBER?fields=id,display_phone_number,status,quality_rating"
graph numbers_list GET "$WABA/phone_numbers"
graph account_get GET "$WABA?fields=id,name"
graph subscribed_apps GET "$WABA/subscribed_apps"
graph mark_read POST "$NUMBER/messages" '{
  "messaging_product": "whatsapp",
  "status": "read",
  "message_id": "'"$WAMID"'"
}'
graph typing POST "$NUMBER/messages" '{
  "messaging_product": "whatsapp",
  "status": "read",
  "message_id": "'"$WAMID"'",
  "typing_indicator": { "type": "text" }
}'
