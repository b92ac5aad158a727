# SPDX-License-Identifier: MIT
"""requests_calls.py - Python's requests: everything of the Cloud API that guides do besides messages"""
import hashlib
import json
import os

import requests

BASE = os.environ["BASE_URL"] + "/v22.0/"
NUMBER, WABA, TO, NAME = (os.environ[name] for name in ("NUMBER", "WABA", "TO", "NAME"))
HEADERS = {"Authorization": "Bearer " + os.environ["TOKEN"]}
PRODUCT = {"messaging_product": "whatsapp"}
COMPONENTS = [{"type": "BODY", "text": "Hi {{1}}, your table is booked.", "example": {"body_text": [["Ana"]]}},
              {"type": "FOOTER", "text": "Bistro"}]
known = {}


class Failed(Exception):
    pass


def read(response):
    answer = response.json()
    if not response.ok:
        raise Failed(answer.get("error", {}).get("code"), response.text)
    return answer


def graph(method, path, body=None, **more):
    return read(requests.request(method, BASE + path, headers=HEADERS, json=body, **more))


def media_upload():
    with open(os.environ["FILE"], "rb") as file:
        answer = graph("POST", NUMBER + "/media", data={**PRODUCT, "type": "image/jpeg"},
                       files={"file": ("photo.jpg", file, "image/jpeg")})
    known["medium"] = answer["id"]
    return answer


def media_get():
    return graph("GET", known["medium"], params={"phone_number_id": NUMBER})


def media_download():
    response = requests.get(graph("GET", known["medium"])["url"], headers=HEADERS)
    return {"type": response.headers["Content-Type"], "sha256": hashlib.sha256(response.content).hexdigest()}


def media_send():
    return graph("POST", NUMBER + "/messages", {**PRODUCT, "to": TO[:-2] + "11", "type": "image",
                                                "image": {"id": known["medium"], "caption": "Your table"}})


def media_delete():
    return graph("DELETE", known["medium"])


def templates_list():
    page = graph("GET", WABA + "/message_templates", params={"fields": "name,status", "limit": 2})
    names, links = [], 0
    while True:
        names += [template["name"] for template in page["data"]]
        if "next" not in page.get("paging", {}):
            return {"names": names, "links": links}
        page = read(requests.get(page["paging"]["next"]))
        links += 1


def template_create():
    return graph("POST", WABA + "/message_templates",
                 {"name": NAME, "language": "en", "category": "UTILITY", "components": COMPONENTS})


def template_find():
    return graph("GET", WABA + "/message_templates", params={"name": NAME})


def template_delete():
    return graph("DELETE", WABA + "/message_templates", params={"name": NAME})


def profile_set():
    return graph("POST", NUMBER + "/whatsapp_business_profile",
                 {**PRODUCT, "about": NAME, "websites": ["https://shop.example"], "vertical": "RESTAURANT"})


def profile_get():
    return graph("GET", NUMBER + "/whatsapp_business_profile", params={"fields": "about,websites,vertical"})


def qr_create():
    answer = graph("POST", NUMBER + "/message_qrdls", {"prefilled_message": NAME, "generate_qr_image": "SVG"})
    known["code"] = answer["code"]
    return answer


def qr_list():
    return {"data": [qr for qr in graph("GET", NUMBER + "/message_qrdls")["data"] if qr["code"] == known["code"]]}


def qr_get():
    return graph("GET", "%s/message_qrdls/%s" % (NUMBER, known["code"]))


def qr_update():
    return graph("POST", NUMBER + "/message_qrdls", {"code": known["code"], "prefilled_message": NAME + " 2"})


def qr_delete():
    return graph("DELETE", "%s/message_qrdls/%s" % (NUMBER, known["code"]))


def block_add():
    return graph("POST", NUMBER + "/block_users", {**PRODUCT, "block_users": [{"user": TO}]})


def block_list():
    return graph("GET", NUMBER + "/block_users")


def block_remove():
    return graph("DELETE", NUMBER + "/block_users", {**PRODUCT, "block_users": [{"user": TO}]})


def number_get():
    return graph("GET", NUMBER, params={"fields": "id,display_phone_number,status,quality_rating"})


def numbers_list():
    return graph("GET", WABA + "/phone_numbers")


def account_get():
    return graph("GET", WABA, params={"fields": "id,name"})


def subscribed_apps():
    return graph("GET", WABA + "/subscribed_apps")


def mark_read():
    return graph("POST", NUMBER + "/messages", {**PRODUCT, "status": "read", "message_id": os.environ["WAMID"]})


def typing():
    return graph("POST", NUMBER + "/messages", {**PRODUCT, "status": "read", "message_id": os.environ["WAMID"],
                                                "typing_indicator": {"type": "text"}})


def main():
    for call in (media_upload, media_get, media_download, media_send, media_delete, templates_list, template_create,
                 template_find, template_delete, profile_set, profile_get, qr_create, qr_list, qr_get, qr_update,
                 qr_delete, block_add, block_list, block_remove, number_get, numbers_list, account_get,
                 subscribed_apps, mark_read, typing):
        line = {"call": call.__name__, "ok": False}
        try:
            line["out"] = call()
            line["ok"] = True
        except Failed as failed:
            line["code"], line["error"] = failed.args
        except Exception as error:  # told in the line; the others still run
            line["error"] = repr(error)
        print(json.dumps(line), flush=True)


main()
