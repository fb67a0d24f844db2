// client.mjs — a person with a browser that keeps cookies and follows forms, without a browser.
import crypto from 'node:crypto';
import fs from 'node:fs';
import https from 'node:https';

// RFC 6238: SHA-1, six digits, thirty seconds.
export function totp(base32, time = Date.now()) {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  let bits = '';
  for (const c of base32.replace(/[\s=]/g, '').toUpperCase()) bits += alphabet.indexOf(c).toString(2).padStart(5, '0');
  const key = Buffer.from(bits.match(/.{8}/g).map(byte => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(time / 30000)));
  const mac = crypto.createHmac('sha1', key).update(counter).digest();
  const at = mac[19] & 15;
  return String((mac.readUInt32BE(at) & 0x7fffffff) % 1000000).padStart(6, '0');
}

const unescape = text => text.replace(/&(amp|lt|gt|quot|#39);/g,
  (_, name) => ({amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'"})[name]);

export class Answer {
  constructor(status, headers, body, url) { Object.assign(this, {status, headers, body, url}); }
  get text() { return this.body.toString('utf8'); }
  json() { return JSON.parse(this.text); }
  // The fields of the form whose action holds `action` (the first form without it).
  form(action = '') {
    for (const [whole, attributes, inner] of this.text.matchAll(/<form([^>]*)>([\s\S]*?)<\/form>/g)) {
      const target = unescape(/action="([^"]*)"/.exec(attributes)?.[1] ?? this.url.pathname + this.url.search);
      if (!target.includes(action)) continue;
      const fields = {};
      for (const [input] of inner.matchAll(/<(?:input|textarea)[^>]*>/g)) {
        const name = /name="([^"]*)"/.exec(input)?.[1];
        if (name) fields[name] = unescape(/value="([^"]*)"/.exec(input)?.[1] ?? '');
      }
      return {action: target, fields, html: whole};
    }
    throw new Error(`no form ${action} in ${this.status} ${this.url}:\n${this.text.slice(0, 2000)}`);
  }
}

export class Client {
  constructor(stack, {lang = 'en', cookies = {}} = {}) {
    this.stack = stack;
    this.lang = lang;
    this.cookies = {...cookies};
  }

  get ca() { return fs.readFileSync(this.stack.file('gate/tls/ca.pem')); }

  request(method, target, {headers = {}, body, follow = false, timeout = 15000, localAddress} = {}) {
    const url = new URL(target, this.stack.origin);
    const cookie = Object.entries(this.cookies).map(([name, value]) => `${name}=${value}`).join('; ');
    const all = {'accept': 'text/html,*/*;q=0.8', 'accept-language': this.lang, ...(cookie && {cookie}), ...headers};
    for (const name of Object.keys(all)) if (all[name] === undefined) delete all[name];
    return new Promise((resolve, reject) => {
      const request = https.request({method, host: '127.0.0.1', port: url.port || this.stack.port,
        servername: url.hostname, path: url.pathname + url.search, ca: this.ca, agent: false, localAddress,
        headers: {host: url.host, ...all}}, response => {
        const parts = [];
        response.on('data', part => parts.push(part));
        response.on('error', reject);
        response.on('end', () => {
          for (const line of response.headers['set-cookie'] ?? []) this.keep(line);
          resolve(new Answer(response.statusCode, response.headers, Buffer.concat(parts), url));
        });
      });
      request.setTimeout(timeout, () => request.destroy(new Error(`no answer in ${timeout} ms: ${url}`)));
      request.on('error', reject);
      request.end(body);
    }).then(answer => follow && [301, 302, 303, 307, 308].includes(answer.status)
      ? this.request('GET', new URL(answer.headers.location, url).href, {headers, follow}) : answer);
  }

  keep(line) {
    const [pair, ...attributes] = line.split(';').map(part => part.trim());
    const at = pair.indexOf('=');
    const gone = attributes.some(one => /^max-age=0$/i.test(one)) || pair.slice(at + 1) === '';
    if (gone) delete this.cookies[pair.slice(0, at)];
    else this.cookies[pair.slice(0, at)] = pair.slice(at + 1);
  }

  get(target, options) { return this.request('GET', target, options); }

  post(target, fields, options = {}) {
    return this.request('POST', target, {follow: true, ...options, body: new URLSearchParams(fields).toString(),
      headers: {'content-type': 'application/x-www-form-urlencoded', origin: this.stack.origin, ...options.headers}});
  }

  // Fills and sends a form of an answer.
  submit(answer, values, {action, ...options} = {}) {
    const form = answer.form(action);
    return this.post(new URL(form.action, answer.url).href, {...form.fields, ...values}, options);
  }

  async enrol(link, password) {
    const url = new URL(link);
    const page = await this.get(url.pathname + url.search);
    if (page.status !== 200) throw new Error(`enrolment page: ${page.status}\n${page.text}`);
    this.password = password;
    this.email = /data-email="([^"]*)"/.exec(page.text)?.[1];
    this.seed = /data-seed="([A-Z2-7]+)"/.exec(page.text)?.[1];
    const done = await this.submit(page, {password, password_again: password, code: totp(this.seed)});
    if (done.status !== 200) throw new Error(`enrolment: ${done.status}\n${done.text}`);
    this.lastStep = Math.floor(Date.now() / 30000);
    return done;
  }

  // Signs in with password and code; waits for the next step where this one was used already.
  async signIn({email = this.email, password = this.password, seed = this.seed, next} = {}) {
    const page = await this.get('/.rempart/id/sign-in' + (next ? `?next=${encodeURIComponent(next)}` : ''));
    const second = await this.submit(page, {email, password}, {action: 'sign-in'});
    if (!second.text.includes('name="code"')) return second;
    return this.submit(second, {code: await this.freshCode(seed)}, {action: 'code'});
  }

  async freshCode(seed = this.seed) {
    // A code counts once: the next window's is accepted too (one step of clock skew).
    const step = Math.floor(Date.now() / 30000);
    const use = Math.max(step, (this.lastStep ?? 0) + 1);
    if (use > step + 1) await new Promise(resolve => setTimeout(resolve, (use - 1) * 30000 - Date.now() + 200));
    this.lastStep = use;
    return totp(seed, use * 30000);
  }
}
