# SPDX-License-Identifier: MIT
# curl.sh - curl, the commands as Meta's documentation has them; sh curl.sh
set -u
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT

# report CASE STATUS: one JSON line of what the call before left in $answer
report()
{
	id=$(sed -n 's/.*"messages":\[{"id":"\([^"]*\)".*/\1/p' "$answer")
	input=$(sed -n 's/.*"contacts":\[{"input":"\([^"]*\)".*/\1/p' "$answer")
	if [ -n "$id" ]; then
		printf '{"case":"%s","ok":true,"id":"%s","input":"%s","status":%s}\n' "$1" "$id" "$input" "$2"
	else
		printf '{"case":"%s","ok":false,"id":null,"status":null,"error":"%s"}\n' "$1" \
			"$2 $(tr -d '\n\\"' <"$answer")"
	fi
}

status=$(curl -s -o "$answer" -w '%{http_code}' -X POST \
  "$BASE_URL/v26.0/$NUMBER/messages" \
  -H "Authorization: Bearer $TOKEN" \
  -H 'Content-Type: application/json' \
  -d '
{
  "messaging_product": "whatsapp",
  "recipient_type": "individual",
  "to": "'"$TO"'",
  "type": "text",
  "text": {
    "preview_url": false,
    "body": "Olá Ana, your order #77 is ready ☕"
  }
}')
report text "$status"

status=$(curl -s -o "$answer" -w '%{http_code}' -X POST \
  "$BASE_URL/v26.0/$NUMBER/messages" \
  -H "Authorization: Bearer $TOKEN" \
  -H 'Content-Type: application/json' \
  -d '{ "messaging_product": "whatsapp", "to": "'"$TO"'", "type": "template", "template": { "name": "order_shipped", '\
'"language": { "code": "en" }, "components": [ { "type": "body", "parameters": [ { "type": "text", "text": "Ana" }, '\
'{ "type": "text", "text": "77" } ] } ] } }')
report template "$status"

status=$(curl -s -o "$answer" -w '%{http_code}' -X POST \
  "$BASE_URL/v26.0/$NUMBER/messages" \
  -H "Authorization: Bearer $TOKEN" \
  -H 'Content-Type: application/json' \
  -d '{
  "messaging_product": "whatsapp",
  "recipient_type": "individual",
  "to": "'"$TO"'",
  "type": "image",
  "image": {
    "link": "https://shop.example/photos/77.jpg",
    "caption": "Your order"
  }
}')
report image "$status"

status=$(curl -s -o "$answer" -w '%{http_code}' -X POST \
  "$BASE_URL/v26.0/$NUMBER/messages" \
  -H "Authorization: Bearer $TOKEN" \
  -H 'Content-Type: application/json' \
  -d '{
  "messaging_product": "whatsapp",
  "recipient_type": "individual",
  "to": "'"$TO"'",
  "type": "document",
  "document": {
    "link": "https://shop.example/invoices/77.pdf",
    "caption": "Invoice",
    "filename": "invoice-77.pdf"
  }
}')
report document "$status"

status=$(curl -s -o "$answer" -w '%{http_code}' -X POST \
  "$BASE_URL/v26.0/$NUMBER/messages" \
  -H "Authorization: Bearer $TOKEN" \
  -H 'Content-Type: application/json' \
  -d '{
  "messaging_product": "whatsapp",
  "recipient_type": "individual",
  "to": "'"$TO"'",
  "type": "interactive",
  "interactive": {
    "type": "button",
    "body": {
      "text": "Shall we deliver today?"
    },
    "action": {
      "buttons": [
        { "type": "reply", "reply": { "id": "yes", "title": "Yes" } },
        { "type": "reply", "reply": { "id": "no", "title": "Not today" } }
      ]
    }
  }
}')
report buttons "$status"

status=$(curl -s -o "$answer" -w '%{http_code}' -X POST \
  "$BASE_URL/v26.0/$NUMBER/messages" \
  -H "Authorization: Bearer $TOKEN" \
  -H 'Content-Type: application/json' \
  -d '{
  "messaging_product": "whatsapp",
  "recipient_type": "individual",
  "to": "'"$TO"'",
  "type": "interactive",
  "interactive": {
    "type": "list",
    "body": {
      "text": "When shall we come?"
    },
    "action": {
      "button": "Pick a time",
      "sections": [
        {
          "title": "Today",
          "rows": [
            { "id": "t1", "title": "09:00", "description": "Morning" },
            { "id": "t2", "title": "17:00", "description": "Evening" }
          ]
        }
      ]
    }
  }
}')
report list "$status"

status=$(curl -s -o "$answer" -w '%{http_code}' -X POST \
  "$BASE_URL/v26.0/$NUMBER/messages" \
  -H "Authorization: Bearer $TOKEN" \
  -H 'Content-Type: application/json' \
  -d '{
  "messaging_product": "whatsapp",
  "recipient_type": "individual",
  "to": "'"$TO"'",
  "type": "location",
  "location": {
    "latitude": "-12.9714",
    "longitude": "-38.5014",
    "name": "Mercado Modelo",
    "address": "Salvador, Bahia"
  }
}')
report location "$status"
