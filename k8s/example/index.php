<?php
// A shop as small as can be. What came through Kawal says so in a header that nobody else can set.
$gateway = $_SERVER['HTTP_X_KAWAL_GATEWAY'] ?? null;
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
if ($path === '/health') {
    echo 'OK';
} elseif ($path === '/payments/notifications' && $gateway !== null) {
    // While observing, forgeries come as well, marked.
    $verdict = $_SERVER['HTTP_X_KAWAL_VERDICT'] ?? 'accepted';
    $id = $_SERVER['HTTP_X_KAWAL_NOTIFICATION_ID'] ?? 'none';
    error_log("notification $id of $gateway: $verdict");
    // Here the order is paid, once for each id.
    echo 'OK';
} else {
    http_response_code(404);
}
