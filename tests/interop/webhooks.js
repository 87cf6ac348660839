// Signs and verifies as Standard Webhooks, Svix and Stripe do, with their libraries for Node: one JSON
// request on stdin, one JSON answer on stdout.
'use strict';

const crypto = require('node:crypto');
const stripe = require('stripe').webhooks;

// Both libraries make a signature and leave the headers to whoever sends it.
const shared = (library, name) => ({
  sign({ secret, id, at, body }) {
    const { Webhook } = require(library);
    const signature = new Webhook(secret).sign(id, new Date(at * 1000), body);
    return { [`${name}-id`]: id, [`${name}-timestamp`]: `${at}`, [`${name}-signature`]: signature };
  },
  verify({ secret, headers, body }) {
    const { Webhook } = require(library);
    new Webhook(secret).verify(body, headers);
  },
});

const libraries = {
  'standard-webhooks': shared('standardwebhooks', 'webhook'),
  svix: shared('svix', 'svix'),
  stripe: {
    sign({ secret, at, body }) {
      const signature = stripe.generateTestHeaderString({ payload: body, secret, timestamp: at });
      return { 'Stripe-Signature': signature };
    },
    verify({ secret, headers, body }) {
      stripe.constructEvent(body, headers['stripe-signature'], secret);
    },
  },
  // Neither library makes or reads v1a: the string is laid out here as the specification says, and Node signs it.
  'standard-webhooks-asymmetric': {
    sign({ secret, id, at, body }) {
      const signature = crypto.sign(null, Buffer.from(`${id}.${at}.${body}`), secret);
      return {
        'webhook-id': id,
        'webhook-timestamp': `${at}`,
        'webhook-signature': `v1a,${signature.toString('base64')}`,
      };
    },
  },
};

// What verifies is told apart from what does not by the library's own refusal, never by a fault of this script.
function judged(verify, notification) {
  try {
    verify(notification);
    return true;
  } catch (error) {
    if (!/VerificationError/.test(`${error.name} ${error.type}`)) throw error;
    return false;
  }
}

// What is to be signed is one notification, what is to be judged are many, each with its verdict.
const { sign, judge, scheme, secret } = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const library = libraries[scheme];
const answer = sign
  ? library.sign({ secret, ...sign })
  : judge.map((notification) => judged(library.verify, { secret, ...notification }));
console.log(JSON.stringify(answer));
