// authenticator.mjs — a security key in software, for scenarios without a browser (WebAuthn Level 3, ES256).
//
//   const key = new Authenticator(stack.origin);
//   await addKey(person, key, 'Blue key');                       // through the account's page
//   key.use(options.publicKey);                                  // what navigator.credentials.get() would give, as JSON
//   verifies({public_key, client_data, authenticator_data, signature});   // by Node's own OpenSSL
import assert from 'node:assert/strict';
import crypto from 'node:crypto';

const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), crypto.createHash('sha256')).digest();
const text = bytes => Buffer.from(bytes).toString('base64url');

export class Authenticator {
  constructor(origin, {transport = 'usb', verifies = true} = {}) {
    Object.assign(this, {origin, transport, verifies, count: 0, id: crypto.randomBytes(32), site: new URL(origin).hostname});
    this.pair = crypto.generateKeyPairSync('ec', {namedCurve: 'P-256'});
  }

  client(type, challenge) { return Buffer.from(JSON.stringify({type, challenge, origin: this.origin, crossOrigin: false})); }

  data(flags) {
    const count = Buffer.alloc(4);
    count.writeUInt32BE(++this.count);
    return Buffer.concat([sha256(this.site), Buffer.from([flags | 1 | (this.verifies ? 4 : 0)]), count]);
  }

  make({challenge, user}) {
    const {x, y} = this.pair.publicKey.export({format: 'jwk'});
    const cose = Buffer.concat([Buffer.from('a5010203262001215820', 'hex'), Buffer.from(x, 'base64url'), Buffer.from('225820', 'hex'), Buffer.from(y, 'base64url')]);
    const data = Buffer.concat([this.data(64), Buffer.alloc(16), Buffer.from([0, 32]), this.id, cose]);
    const attestation = Buffer.concat([Buffer.from('a363666d74646e6f6e656761747453746d74a068617574684461746158', 'hex'), Buffer.from([data.length]), data]);
    this.user = user.id;
    return {id: text(this.id), type: 'public-key', response: {clientDataJSON: text(this.client('webauthn.create', challenge)),
      attestationObject: text(attestation), transports: [this.transport]}};
  }

  use({challenge}) {
    const client = this.client('webauthn.get', challenge), data = this.data(0);
    const signature = crypto.sign('sha256', Buffer.concat([data, sha256(client)]), this.pair.privateKey);
    return {id: text(this.id), type: 'public-key', response: {clientDataJSON: text(client), authenticatorData: text(data),
      signature: text(signature), userHandle: this.user}};
  }
}

// Registers the key for somebody who signed in less than ten minutes ago.
export async function addKey(person, key, name) {
  const page = await person.get('/.rempart/id/passkeys');
  const {fields} = page.form('passkeys');
  const options = await person.post('/.rempart/id/passkeys/new', {form: fields.form, present: person.password});
  assert.equal(options.status, 200, options.text);
  const added = await person.post('/.rempart/id/passkeys', {...fields, act: 'add', name, passkey: JSON.stringify(key.make(options.json()))}, {follow: false});
  assert.match(added.headers.location, /done=added/);
}

// Whether the evidence of a signature holds, told by nothing but itself: the key, what it signed, and the text behind.
export function verifies({signs, nonce, public_key: cose, client_data: client, authenticator_data: data, signature}) {
  const bytes = value => Buffer.from(value, 'base64url');
  const canonical = value => Array.isArray(value) ? `[${value.map(canonical)}]` : value && typeof value === 'object'
    ? `{${Object.keys(value).sort().map(name => `${JSON.stringify(name)}:${canonical(value[name])}`)}}` : JSON.stringify(value);
  const key = bytes(cose); // {1: 2, 3: -7, -1: 1, -2: x, -3: y}
  const publicKey = crypto.createPublicKey({format: 'jwk', key: {kty: 'EC', crv: 'P-256', x: text(key.subarray(10, 42)), y: text(key.subarray(45))}});
  const signed = Buffer.concat([bytes(data), sha256(bytes(client))]);
  return JSON.parse(bytes(client)).challenge === text(sha256(bytes(nonce), canonical(signs))) &&
    crypto.verify('sha256', signed, publicKey, bytes(signature));
}
