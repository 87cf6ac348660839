// Speaks as DOKU does, with DOKU's library for Node: one JSON request on stdin, one JSON answer on stdout.
'use strict';

const Config = require('doku-nodejs-library/_commons/config');
const TokenController = require('doku-nodejs-library/_controllers/tokenController');
const TokenService = require('doku-nodejs-library/_services/tokenService');
const VaService = require('doku-nodejs-library/_services/vaService');

const speak = {
  // getTokenB2B is all of it: generateTimestamp, generateSignature (RSA over client|timestamp), and
  // createTokenB2B, which sends and reads the answer. It goes to DOKU's sandbox unless told otherwise.
  async token({ base, client, privateKey }) {
    Config.CORE_SANDBOX_BASE_URL = base;
    try {
      return await new TokenController().getTokenB2B(privateKey, client, false);
    } catch (error) {
      if (!error.response) throw error;
      return error.response.data;
    }
  },

  // generateSymmetricSignature minifies (JSON.stringify), digests and signs with HMAC-SHA512.
  async notification({ path, client, secret, token, body }) {
    const content = JSON.parse(body);
    const timestamp = TokenService.generateTimestamp();
    const signature = TokenService.generateSymmetricSignature('POST', path, token, content, timestamp, secret);
    // generateExternalId makes 50 characters where the documents allow 36. The library's own direct
    // debit requests bear the time in milliseconds instead.
    const id = Date.now().toString();
    const header = VaService.createVaRequesHeaderDto('SDK', client, token, timestamp, id, signature);
    return sent(header, content);
  },

  // generateSignatureV2 is the asymmetric signature, RSA over method, path, digest and timestamp. Its
  // minify drops white space inside strings too: it is right on bodies without any.
  async asymmetric({ path, client, privateKey, body }) {
    const content = JSON.parse(body);
    const timestamp = TokenService.generateTimestamp();
    const signature = TokenService.generateSignatureV2(privateKey, client, timestamp, { path, body: content });
    const header = VaService.createVaRequesHeaderDto('SDK', client, '', timestamp, Date.now().toString(), signature);
    return sent(header, content);
  },
};

// The names under which vaService sends these values, and the body as axios prints it.
function sent(header, content) {
  const headers = {
    'Content-Type': 'application/json',
    'X-PARTNER-ID': header.xPartnerId,
    'X-TIMESTAMP': header.xTimestamp,
    'X-SIGNATURE': header.xSignature,
    'X-EXTERNAL-ID': header.xExternalId,
    'CHANNEL-ID': header.channelId,
  };
  if (header.authorization) headers.Authorization = 'Bearer ' + header.authorization;
  return { headers, body: JSON.stringify(content) };
}

const request = JSON.parse(require('fs').readFileSync(0, 'utf8'));
speak[request.speak](request).then((answer) => console.log(JSON.stringify(answer)));
