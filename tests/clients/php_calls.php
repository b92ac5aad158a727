<?php
// SPDX-License-Identifier: MIT
// php_calls.php - PHP's cURL: everything of the Cloud API that guides do besides messages

$base = getenv('BASE_URL') . '/v19.0/';
$number = getenv('NUMBER');
$waba = getenv('WABA');
$to = getenv('TO');
$name = getenv('NAME');
$wamid = getenv('WAMID');
$product = ['messaging_product' => 'whatsapp'];
$components = [
    ['type' => 'BODY', 'text' => 'Hi {{1}}, your table is booked.', 'example' => ['body_text' => [['Ana']]]],
    ['type' => 'FOOTER', 'text' => 'Bistro'],
];
$medium = $code = null;

function call(string $method, string $url, $fields = null, array $headers = [], &$type = null): string
{
    $curl = curl_init($url);
    curl_setopt_array($curl, [
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_CUSTOMREQUEST => $method,
        CURLOPT_HTTPHEADER => $headers,
    ]);
    if ($fields !== null) {
        curl_setopt($curl, CURLOPT_POSTFIELDS, $fields);
    }
    $response = curl_exec($curl);
    if ($response === false) {
        throw new Exception(curl_error($curl));
    }
    if (curl_getinfo($curl, CURLINFO_HTTP_CODE) !== 200) {
        throw new Exception($response, json_decode($response, true)['error']['code'] ?? 0);
    }
    $type = curl_getinfo($curl, CURLINFO_CONTENT_TYPE);
    curl_close($curl);
    return $response;
}

function authorization(): string
{
    return 'Authorization: Bearer ' . getenv('TOKEN');
}

function graph(string $method, string $path, ?array $body = null): array
{
    global $base;
    $headers = [authorization()];
    if ($body !== null) {
        $headers[] = 'Content-Type: application/json';
        $body = json_encode($body);
    }
    return json_decode(call($method, $base . $path, $body, $headers), true);
}

$calls = [
    'media_upload' => function () use ($base, $number, &$medium) {
        $answer = json_decode(call('POST', "$base$number/media", [
            'messaging_product' => 'whatsapp',
            'type' => 'image/jpeg',
            'file' => new CURLFile(getenv('FILE'), 'image/jpeg', 'photo.jpg'),
        ], [authorization()]), true);
        $medium = $answer['id'];
        return $answer;
    },
    'media_get' => function () use ($number, &$medium) {
        return graph('GET', "$medium?phone_number_id=$number");
    },
    'media_download' => function () use (&$medium) {
        $bytes = call('GET', graph('GET', $medium)['url'], null, [authorization()], $type);
        return ['type' => $type, 'sha256' => hash('sha256', $bytes)];
    },
    'media_send' => function () use ($number, $product, $to, &$medium) {
        return graph('POST', "$number/messages", $product + [
            'to' => substr($to, 0, -2) . '11',
            'type' => 'image',
            'image' => ['id' => $medium, 'caption' => 'Your table'],
        ]);
    },
    'media_delete' => function () use (&$medium) {
        return graph('DELETE', $medium);
    },
    'templates_list' => function () use ($waba) {
        $page = graph('GET', "$waba/message_templates?fields=name,status&limit=2");
        for ($names = [], $links = 0;; $links++) {
            $names = array_merge($names, array_column($page['data'], 'name'));
            if (!isset($page['paging']['next'])) {
                return ['names' => $names, 'links' => $links];
            }
            $page = json_decode(call('GET', $page['paging']['next']), true);
        }
    },
    'template_create' => fn () => graph('POST', "$waba/message_templates", [
        'name' => $name, 'language' => 'en', 'category' => 'UTILITY', 'components' => $components,
    ]),
    'template_find' => fn () => graph('GET', "$waba/message_templates?name=$name"),
    'template_delete' => fn () => graph('DELETE', "$waba/message_templates?name=$name"),
    'profile_set' => fn () => graph('POST', "$number/whatsapp_business_profile", $product + [
        'about' => $name, 'websites' => ['https://shop.example'], 'vertical' => 'RESTAURANT',
    ]),
    'profile_get' => fn () => graph('GET', "$number/whatsapp_business_profile?fields=about,websites,vertical"),
    'qr_create' => function () use ($number, $name, &$code) {
        $answer = graph('POST', "$number/message_qrdls", [
            'prefilled_message' => $name, 'generate_qr_image' => 'SVG',
        ]);
        $code = $answer['code'];
        return $answer;
    },
    'qr_list' => function () use ($number, &$code) {
        $data = graph('GET', "$number/message_qrdls")['data'];
        return ['data' => array_values(array_filter($data, fn ($qr) => $qr['code'] === $code))];
    },
    'qr_get' => function () use ($number, &$code) {
        return graph('GET', "$number/message_qrdls/$code");
    },
    'qr_update' => function () use ($number, $name, &$code) {
        return graph('POST', "$number/message_qrdls", ['code' => $code, 'prefilled_message' => "$name 2"]);
    },
    'qr_delete' => function () use ($number, &$code) {
        return graph('DELETE', "$number/message_qrdls/$code");
    },
    'block_add' => fn () => graph('POST', "$number/block_users", $product + ['block_users' => [['user' => $to]]]),
    'block_list' => fn () => graph('GET', "$number/block_users"),
    'block_remove' => fn () => graph('DELETE', "$number/block_users", $product + ['block_users' => [['user' => $to]]]),
    'number_get' => fn () => graph('GET', "$number?fields=id,display_phone_number,status,quality_rating"),
    'numbers_list' => fn () => graph('GET', "$waba/phone_numbers"),
    'account_get' => fn () => graph('GET', "$waba?fields=id,name"),
    'subscribed_apps' => fn () => graph('GET', "$waba/subscribed_apps"),
    'mark_read' => fn () => graph('POST', "$number/messages", $product + ['status' => 'read', 'message_id' => $wamid]),
    'typing' => fn () => graph('POST', "$number/messages", $product + [
        'status' => 'read', 'message_id' => $wamid, 'typing_indicator' => ['type' => 'text'],
    ]),
];

foreach ($calls as $call => $make) {
    $line = ['call' => $call, 'ok' => false];
    try {
        $line['out'] = $make();
        $line['ok'] = true;
    } catch (Throwable $error) {
        $line['code'] = $error->getCode();
        $line['error'] = (string) $error;
    }
    echo json_encode($line), "\n";
}
