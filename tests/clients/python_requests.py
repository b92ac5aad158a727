# SPDX-License-Identifier: MIT
"""python_requests.py - Python's requests, as the guides call the Cloud API with it"""
import json
import os

import requests

URL = "%s/v22.0/%s/messages" % (os.environ["BASE_URL"], os.environ["NUMBER"])
HEADERS = {"Authorization": "Bearer " + os.environ["TOKEN"], "Content-Type": "application/json"}
TO = os.environ["TO"]


def send_message(payload):
    return requests.post(URL, headers=HEADERS, json=payload)


def send_text():
    payload = {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": TO,
        "type": "text",
        "text": {"preview_url": False, "body": "Olá Ana, your order #77 is ready ☕"},
    }
    return requests.post(URL, headers=HEADERS, data=json.dumps(payload))


def send_template():
    return send_message({
        "messaging_product": "whatsapp",
        "to": TO,
        "type": "template",
        "template": {
            "name": "order_shipped",
            "language": {"code": "en"},
            "components": [{
                "type": "body",
                "parameters": [{"type": "text", "text": "Ana"}, {"type": "text", "text": "77"}],
            }],
        },
    })


def send_image():
    return send_message({
        "messaging_product": "whatsapp",
        "to": TO,
        "type": "image",
        "image": {"link": "https://shop.example/photos/77.jpg", "caption": "Your order"},
    })


def send_document():
    return send_message({
        "messaging_product": "whatsapp",
        "to": TO,
        "type": "document",
        "document": {
            "link": "https://shop.example/invoices/77.pdf",
            "caption": "Invoice",
            "filename": "invoice-77.pdf",
        },
    })


def send_buttons():
    return send_message({
        "messaging_product": "whatsapp",
        "to": TO,
        "type": "interactive",
        "interactive": {
            "type": "button",
            "body": {"text": "Shall we deliver today?"},
            "action": {"buttons": [
                {"type": "reply", "reply": {"id": "yes", "title": "Yes"}},
                {"type": "reply", "reply": {"id": "no", "title": "Not today"}},
            ]},
        },
    })


def send_list():
    return send_message({
        "messaging_product": "whatsapp",
        "to": TO,
        "type": "interactive",
        "interactive": {
            "type": "list",
            "body": {"text": "When shall we come?"},
            "action": {"button": "Pick a time", "sections": [{
                "title": "Today",
                "rows": [
                    {"id": "t1", "title": "09:00", "description": "Morning"},
                    {"id": "t2", "title": "17:00", "description": "Evening"},
                ],
            }]},
        },
    })


def send_location():
    return send_message({
        "messaging_product": "whatsapp",
        "to": TO,
        "type": "location",
        "location": {
            "latitude": -12.9714,
            "longitude": -38.5014,
            "name": "Mercado Modelo",
            "address": "Salvador, Bahia",
        },
    })


def main():
    for name in ("text", "template", "image", "document", "buttons", "list", "location"):
        line = {"case": name, "ok": False, "id": None, "status": None}
        try:
            response = globals()["send_" + name]()
            line["status"] = response.status_code
            answer = response.json()
            line["id"] = answer["messages"][0]["id"]
            line["input"] = answer["contacts"][0]["input"]
            line["ok"] = True
        except Exception as error:  # told in the line; the others still run
            line["error"] = repr(error)
        print(json.dumps(line), flush=True)


main()
