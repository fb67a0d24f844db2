// tlog.mjs — a transparency log and a witness's answers, written from the C2SP texts and RFC 6962 alone: nothing of it
// is shared with the program that it tests.
import crypto from 'node:crypto';

const sha256 = (...parts) => crypto.createHash('sha256').update(Buffer.concat(parts.map(part => Buffer.from(part)))).digest();
const base64 = bytes => bytes.toString('base64');
const keyId = (name, type, key) => sha256(`${name}\n`, [type], key).subarray(0, 4);
const vkeyOf = (name, type, key) => `${name}+${keyId(name, type, key).toString('hex')}+${base64(Buffer.concat([Buffer.from([type]), key]))}`;

const split = n => { let k = 1; while (2 * k < n) k *= 2; return k; };
const rootOf = leaves => {
  if (leaves.length === 0) return sha256();
  if (leaves.length === 1) return leaves[0];
  const k = split(leaves.length);
  return sha256([1], rootOf(leaves.slice(0, k)), rootOf(leaves.slice(k)));
};
// RFC 6962, 2.1.2.
const subproof = (m, leaves, whole) => {
  const n = leaves.length;
  if (m === n) return whole ? [] : [rootOf(leaves)];
  const k = split(n);
  return m <= k ? [...subproof(m, leaves.slice(0, k), whole), rootOf(leaves.slice(k))]
    : [...subproof(m - k, leaves.slice(k), false), rootOf(leaves.slice(0, k))];
};

export class Log {
  constructor(name, entries = []) {
    const {publicKey, privateKey} = crypto.generateKeyPairSync('ed25519');
    Object.assign(this, {name, privateKey, key: publicKey.export({format: 'der', type: 'spki'}).subarray(-32)});
    this.leaves = entries.map(entry => sha256([0], entry));
  }

  get vkey() { return vkeyOf(this.name, 1, this.key); }

  // The same keys over another history.
  fork(entries) { return Object.assign(Object.create(Log.prototype), this, {leaves: entries.map(entry => sha256([0], entry))}); }

  text(size, origin = this.name) { return `${origin}\n${size}\n${base64(rootOf(this.leaves.slice(0, size)))}\n`; }

  checkpoint(size, origin) {
    const text = this.text(size, origin);
    const signature = crypto.sign(null, Buffer.from(text), this.privateKey);
    return `${text}\n— ${origin ?? this.name} ${base64(Buffer.concat([keyId(origin ?? this.name, 1, this.key), signature]))}\n`;
  }

  proof(old, size) { return old === 0 || old >= size ? [] : subproof(old, this.leaves.slice(0, size), true).map(base64); }

  // The body of add-checkpoint.
  ask(old, size, {proof = this.proof(old, size), checkpoint = this.checkpoint(size)} = {}) {
    return `old ${old}\n${proof.map(hash => `${hash}\n`).join('')}\n${checkpoint}`;
  }
}

const publicKeyOf = raw => crypto.createPublicKey({key: Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw]), format: 'der', type: 'spki'});

// {text, lines: [{name, id, bytes}]}
export function parseNote(note) {
  const at = note.lastIndexOf('\n\n');
  const lines = note.slice(at + 2).split('\n').slice(0, -1).map(line => {
    const [, name, rest] = /^— (\S+) (\S+)$/.exec(line);
    const bytes = Buffer.from(rest, 'base64');
    return {name, id: bytes.subarray(0, 4), bytes: bytes.subarray(4)};
  });
  return {text: note.slice(0, at + 1), lines};
}

// The time of a witness's cosignature in the note, in seconds; undefined without one, an error for a bad one.
export function cosignedAt(note, vkey) {
  const [, name, id, key] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(vkey); // base64 has pluses of its own
  const {text, lines} = parseNote(note);
  const line = lines.find(one => one.name === name && one.id.toString('hex') === id);
  if (!line) return undefined;
  const time = line.bytes.readBigUInt64BE(0), raw = Buffer.from(key, 'base64').subarray(1);
  const good = crypto.verify(null, Buffer.from(`cosignature/v1\ntime ${time}\n${text}`), publicKeyOf(raw), line.bytes.subarray(8));
  if (!good) throw new Error(`not a cosignature of ${name}`);
  return Number(time);
}
