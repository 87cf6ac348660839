// The HMAC of a DOKU notification, and nothing else: neither the time nor whether it came before.
import crypto from 'crypto';

function check(request) {
    const headers = request.headersIn;
    const digest = crypto.createHash('sha256').update(request.requestBuffer || '').digest('base64');
    const message = 'Client-Id:' + headers['Client-Id'] +
        '\nRequest-Id:' + headers['Request-Id'] +
        '\nRequest-Timestamp:' + headers['Request-Timestamp'] +
        '\nRequest-Target:' + request.uri +
        '\nDigest:' + digest;
    const mac = crypto.createHmac('sha256', '{secret}').update(message).digest('base64');
    if ('HMACSHA256=' + mac !== headers['Signature']) {
        request.return(401, '{}');
        return;
    }
    request.internalRedirect('@app');
}

export default { check };
