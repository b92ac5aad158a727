<?php
// SPDX-License-Identifier: MIT
// php_curl.php - PHP's cURL, as the guides call the Cloud API with it

$to = getenv('TO');

function send_message(array $data): array
{
    $curl = curl_init();
    curl_setopt_array($curl, [
        CURLOPT_URL => getenv('BASE_URL') . '/v19.0/' . getenv('NUMBER') . '/messages',
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_CUSTOMREQUEST => 'POST',
        CURLOPT_POSTFIELDS => json_encode($data),
        CURLOPT_HTTPHEADER => [
            'Authorization: Bearer ' . getenv('TOKEN'),
            'Content-Type: application/json',
        ],
    ]);
    $response = curl_exec($curl);
    if ($response === false) {
        throw new Exception(curl_error($curl));
    }
    $status = curl_getinfo($curl, CURLINFO_HTTP_CODE);
    curl_close($curl);
    return [json_decode($response, true), $status, $response];
}

$messages = [
    'text' => [
        'messaging_product' => 'whatsapp',
        'recipient_type' => 'individual',
        'to' => $to,
        'type' => 'text',
        'text' => ['preview_url' => false, 'body' => 'Olá Ana, your order #77 is ready ☕'],
    ],
    'template' => [
        'messaging_product' => 'whatsapp',
        'to' => $to,
        'type' => 'template',
        'template' => [
            'name' => 'order_shipped',
            'language' => ['code' => 'en'],
            'components' => [[
                'type' => 'body',
                'parameters' => [['type' => 'text', 'text' => 'Ana'], ['type' => 'text', 'text' => '77']],
            ]],
        ],
    ],
    'image' => [
        'messaging_product' => 'whatsapp',
        'to' => $to,
        'type' => 'image',
        'image' => ['link' => 'https://shop.example/photos/77.jpg', 'caption' => 'Your order'],
    ],
    'document' => [
        'messaging_product' => 'whatsapp',
        'to' => $to,
        'type' => 'document',
        'document' => [
            'link' => 'https://shop.example/invoices/77.pdf',
            'caption' => 'Invoice',
            'filename' => 'invoice-77.pdf',
        ],
    ],
    'buttons' => [
        'messaging_product' => 'whatsapp',
        'to' => $to,
        'type' => 'interactive',
        'interactive' => [
            'type' => 'button',
            'body' => ['text' => 'Shall we deliver today?'],
            'action' => ['buttons' => [
                ['type' => 'reply', 'reply' => ['id' => 'yes', 'title' => 'Yes']],
                ['type' => 'reply', 'reply' => ['id' => 'no', 'title' => 'Not today']],
            ]],
        ],
    ],
    'list' => [
        'messaging_product' => 'whatsapp',
        'to' => $to,
        'type' => 'interactive',
        'interactive' => [
            'type' => 'list',
            'body' => ['text' => 'When shall we come?'],
            'action' => ['button' => 'Pick a time', 'sections' => [[
                'title' => 'Today',
                'rows' => [
                    ['id' => 't1', 'title' => '09:00', 'description' => 'Morning'],
                    ['id' => 't2', 'title' => '17:00', 'description' => 'Evening'],
                ],
            ]]],
        ],
    ],
    'location' => [
        'messaging_product' => 'whatsapp',
        'to' => $to,
        'type' => 'location',
        'location' => [
            'latitude' => '-12.9714',
            'longitude' => '-38.5014',
            'name' => 'Mercado Modelo',
            'address' => 'Salvador, Bahia',
        ],
    ],
];

foreach ($messages as $name => $message) {
    $line = ['case' => $name, 'ok' => false, 'id' => null, 'status' => null];
    try {
        [$answer, $line['status'], $response] = send_message($message);
        $line['id'] = $answer['messages'][0]['id'] ?? null;
        $line['input'] = $answer['contacts'][0]['input'] ?? null;
        $line['ok'] = $line['id'] !== null;
        if (!$line['ok']) {
            $line['error'] = $response;
        }
    } catch (Throwable $error) {
        $line['error'] = (string) $error;
    }
    echo json_encode($line), "\n";
}
