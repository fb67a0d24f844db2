// notes-app — a small application for several customers, behind Rempart, in one plain file.
//
//   node app.js --state DIR --listen PATH|PORT     (DIR: Rempart's state folder)
//
// What it shows: an application needs no sign-in, no user table, no database and no audit log of
// its own. Who is there comes with each request in `Rempart-Assertion` (a JWT, verified below);
// notes are records of that person's organisation in Rempart's spaces, reached with the
// application's token and that same assertion. Pages are plain HTML, in French and English.
'use strict';
const crypto = require('node:crypto');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const {Readable} = require('node:stream');
const {pipeline} = require('node:stream/promises');

const option = (name, otherwise) => {
  const at = process.argv.indexOf(`--${name}`);
  return at > 0 ? process.argv[at + 1] : otherwise;
};
const state = option('state', process.env.REMPART_STATE || 'var');
const listen = option('listen', 'run/notes.sock');
const app = option('app', 'notes');

// ---- Rempart, over its local socket ----

function call(method, target, {headers = {}, body} = {}) {
  return new Promise((resolve, reject) => {
    const request = http.request({socketPath: path.join(state, 'run/api.sock'), method, path: target, timeout: 10000,
      headers: {host: 'localhost', accept: 'application/json',
        ...(body && {'content-type': 'application/json', 'content-length': Buffer.byteLength(body)}), ...headers}},
    response => {
      const parts = [];
      response.on('data', part => parts.push(part)).on('error', reject).on('end', () => {
        const text = Buffer.concat(parts).toString('utf8');
        let json = null;
        try { json = text ? JSON.parse(text) : null; } catch { /* a page, not an answer of the API */ }
        resolve({status: response.statusCode, json});
      });
    });
    request.on('timeout', () => request.destroy(new Error('no answer')));
    request.on('error', reject);
    request.end(body);
  });
}

const token = () => fs.readFileSync(path.join(state, 'apps', `${app}.token`), 'utf8').trim();

// One call for the person in front of us: the application's token says who asks, the assertion for whom. What is refused is said in
// that person's language.
const spaces = (who, method, target, options) => api(who, method, `spaces/${target}`, options);
async function api(who, method, target, {body, headers} = {}) {
  const answer = await call(method, `/.rempart/api/v1/${target}`, {
    body: body && JSON.stringify(body),
    headers: {authorization: `Bearer ${token()}`, 'rempart-assertion': who.assertion, 'accept-language': who.lang, ...headers}});
  if (answer.status >= 400) throw Object.assign(new Error(answer.json?.detail ?? 'spaces'), {status: answer.status});
  return answer.json;
}

// ---- files: bytes pass through as they come, in either direction, and are never held here ----

const filesCall = (who, method, target, headers) => http.request({socketPath: path.join(state, 'run/api.sock'), method,
  path: `/.rempart/api/v1/files/${target}`, headers: {host: 'localhost', accept: 'application/json', authorization: `Bearer ${token()}`,
    'rempart-assertion': who.assertion, 'accept-language': who.lang, ...headers}});
const answerOf = request => new Promise((resolve, reject) => request.on('response', resolve).on('error', reject));

// A form with one file, read as it comes (RFC 7578): the fields before the file, then its bytes.
async function readUpload(request) {
  const end = Buffer.from(`\r\n--${/boundary="?([^";]+)/.exec(request.headers['content-type'] ?? '')?.[1]}`);
  const chunks = request[Symbol.asyncIterator](), fields = {};
  let held = Buffer.from('\r\n');
  const find = async what => {
    for (;;) {
      const at = held.indexOf(what);
      if (at >= 0) return at;
      const {value, done} = await chunks.next();
      if (done || held.length > 65536) throw Object.assign(new Error('not a form with a file'), {status: 400});
      held = Buffer.concat([held, value]);
    }
  };
  const bytes = async function* () {
    for (let stop; (stop = held.indexOf(end)) < 0;) {
      const {value, done} = await chunks.next();
      if (done) throw new Error('cut');
      if (held.length > end.length) { yield held.subarray(0, -end.length); held = held.subarray(-end.length); }
      held = Buffer.concat([held, value]);
    }
    yield held.subarray(0, held.indexOf(end));
  };
  for (;;) {
    const at = await find('\r\n\r\n'), head = held.subarray(0, at).toString();
    held = held.subarray(at + 4);
    const file = /filename="([^"]*)"/.exec(head)?.[1];
    if (file !== undefined) return {fields, file, type: /content-type: *(\S+)/i.exec(head)?.[1] ?? 'application/octet-stream', bytes: bytes()};
    const stop = await find(end);
    fields[/name="([^"]*)"/.exec(head)?.[1]] = held.subarray(0, stop).toString();
    held = held.subarray(stop + end.length);
  }
}

async function upload(who, {file, type, bytes}) {
  const call = filesCall(who, 'POST', `notes?name=${encodeURIComponent(file)}`, {'content-type': type, 'transfer-encoding': 'chunked'});
  const [answer] = await Promise.all([answerOf(call), pipeline(Readable.from(bytes), call)]);
  answer.resume();
  if (answer.statusCode !== 201) throw Object.assign(new Error('files'), {status: answer.statusCode});
}

async function download(who, id, request, response) {
  const answer = await answerOf(filesCall(who, 'GET', `notes/${id}`, request.headers.range && {range: request.headers.range}).end());
  const heads = Object.fromEntries(['content-type', 'content-length', 'content-range', 'content-disposition', 'etag', 'accept-ranges']
    .filter(name => answer.headers[name]).map(name => [name, answer.headers[name]]));
  await pipeline(answer, response.writeHead(answer.statusCode, heads));
}

// ---- who is there ----

const keys = new Map();
async function keyOf(kid) {
  if (!keys.has(kid)) {
    const {json} = await call('GET', '/.rempart/api/v1/jwks.json');
    for (const jwk of json?.keys ?? []) keys.set(jwk.kid, crypto.createPublicKey({key: jwk, format: 'jwk'}));
  }
  return keys.get(kid);
}

async function whoIs(request) {
  const assertion = request.headers['rempart-assertion'];
  if (!assertion) return null;
  const [head, claims, signature, more] = assertion.split('.');
  if (!signature || more !== undefined) return null;
  try {
    const {alg, kid} = JSON.parse(Buffer.from(head, 'base64url'));
    const key = alg === 'ES256' && await keyOf(kid);
    if (!key || !crypto.verify('sha256', Buffer.from(`${head}.${claims}`), {key, dsaEncoding: 'ieee-p1363'},
      Buffer.from(signature, 'base64url'))) return null;
    const who = JSON.parse(Buffer.from(claims, 'base64url'));
    return who.aud === app && who.exp > Date.now() / 1000 ? {...who, assertion, lang: languageOf(request)} : null;
  } catch {
    return null;
  }
}

// ---- words ----

const words = {
  fr: {title: 'Notes', hello: 'Vous êtes', none: 'Aucune note pour l’instant.', add: 'Ajouter', text: 'Nouvelle note',
    edit: 'Modifier', save: 'Enregistrer', remove: 'Supprimer', back: 'Retour', account: 'Mon compte', more: 'Notes suivantes',
    sorted: {newest: 'Plus récentes d’abord', oldest: 'Plus anciennes d’abord'}, changed: 'modifiée le',
    conflict: 'Cette note a changé entre-temps. La voici telle qu’elle est maintenant.', wrong: 'Cela n’a pas abouti',
    label: 'Diffusion', labels: {public: 'publique', internal: 'interne', personal: 'personnelle', sensitive: 'sensible'}, tag: 'Mot-clé',
    tagged: 'Notes avec le mot-clé', all: 'Toutes les notes', trash: 'Corbeille', trashed: 'Gardées trente jours, puis effacées.', history: 'Versions', version: 'Version', restore: 'Rétablir',
    nobody: 'Personne n’est connecté : cette application n’est joignable qu’à travers Rempart.', shared: 'Notes de votre organisation',
    files: 'Fichiers', file: 'Fichier', noFiles: 'Aucun fichier.', gone: 'Cette page n’existe pas', share: 'Partager', link: 'Ce lien montre la note pendant deux jours, trois fois au plus, sans compte :'},
  en: {title: 'Notes', hello: 'You are', none: 'No notes yet.', add: 'Add', text: 'New note',
    edit: 'Edit', save: 'Save', remove: 'Delete', back: 'Back', account: 'My account', more: 'More notes',
    sorted: {newest: 'Newest first', oldest: 'Oldest first'}, changed: 'changed',
    conflict: 'This note changed in the meantime. Here it is as it stands now.', wrong: 'That did not work',
    label: 'Label', labels: {public: 'public', internal: 'internal', personal: 'personal', sensitive: 'sensitive'}, tag: 'Keyword',
    tagged: 'Notes with the keyword', all: 'All notes', trash: 'Trash', trashed: 'Kept for thirty days, then gone.', history: 'Versions', version: 'Version', restore: 'Restore',
    nobody: 'Nobody is signed in: this application is reached through Rempart only.', shared: 'Your organisation’s notes',
    files: 'Files', file: 'File', noFiles: 'No files.', gone: 'There is no such page', share: 'Share', link: 'This link shows the note for two days, three times at most, without an account:'},
};
const languageOf = request => {
  const first = /\b(fr|en)\b/.exec((request.headers['accept-language'] ?? '').toLowerCase());
  return first ? first[1] : 'fr';
};
const escape = text => String(text).replace(/[&<>"']/g, c => ({'&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\'': '&#39;'})[c]);

// A time with its zone and a size with its unit, as people write them.
const time = (lang, at) => `<time datetime="${escape(at)}">${new Date(at).toLocaleString(lang === 'en' ? 'en-GB' : lang, {dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC'})} UTC</time>`;
function size(lang, bytes) {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte'], step = Math.min(3, Math.floor(Math.log10(Math.max(bytes, 1)) / 3));
  return new Intl.NumberFormat(lang, {style: 'unit', unit: units[step], unitDisplay: step ? 'short' : 'long', maximumFractionDigits: 1}).format(bytes / 1000 ** step);
}

// ---- pages ----

const style = `:root{color-scheme:light dark}*{box-sizing:border-box}
body{font:1rem/1.6 system-ui,sans-serif;max-width:44rem;margin:0 auto;padding:1.5rem 1.25rem 4rem}
header{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;justify-content:space-between;border-bottom:1px solid #8886;padding-bottom:.75rem}
ul{list-style:none;padding:0}li{border:1px solid #8886;border-radius:6px;padding:.875rem 1rem;margin:.75rem 0}
p{white-space:pre-wrap;overflow-wrap:anywhere;margin:0 0 .5rem}small{color:#595959}
textarea{display:block;width:100%;min-height:6rem;font:inherit;padding:.625rem;margin:.375rem 0 .75rem;border-radius:6px;border:1px solid #888}
select,input[name=tag]{font:inherit;padding:.4rem;border-radius:6px;border:1px solid #888;margin:0 1rem .75rem 0;max-width:100%}
button{font:inherit;padding:.4rem .9rem;border-radius:6px;border:1px solid #1c6653;background:#1c6653;color:#fff;cursor:pointer}
button.quiet{background:transparent;color:inherit;border-color:#888}form.inline{display:inline}
a{color:#0b57d0}html{background:#fff;color:#1b1b1b}
@media(prefers-color-scheme:dark){html{background:#121212;color:#eee}a{color:#8ab4f8}small{color:#b3b3b3}}
:focus-visible{outline:3px solid #0b57d0;outline-offset:2px}.alert{border-left:4px solid #b3261e;padding-left:.75rem}`;

// The title is the heading, so that a history and a screen reader tell the pages apart.
function page(say, lang, who, body) {
  const account = who ? `<span>${say.hello} <strong>${escape(who.email ?? who.sub)}</strong></span> <a href="/.rempart/id/account">${say.account}</a>` : '';
  return `<!doctype html><html lang="${lang}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${/<h1>(.*?)<\/h1>/.exec(body)[1]} – ${say.title}</title><link rel="stylesheet" href="/notes.css"></head><body><header><strong>${say.title}</strong> ${account}</header><main>${body}</main></body></html>`;
}

// A form of ours, for this session: another site cannot know the token.
const formSecret = crypto.randomBytes(32);
const formToken = who => crypto.createHmac('sha256', formSecret).update(who.sid).digest('base64url');
const hidden = (name, value) => `<input type="hidden" name="${name}" value="${escape(value)}">`;

const inlineForm = (who, action, label, fields = '') =>
  `<form class="inline" method="post" action="${action}">${hidden('form', formToken(who))}${fields}<button class="quiet">${label}</button></form>`;

function noteItem(say, lang, who, {id, version, changed_at: changed, label, document}) {
  const tag = document.tag ? ` · <a href="/?tag=${encodeURIComponent(document.tag)}">${escape(document.tag)}</a>` : '';
  return `<li><p>${escape(document.text)}</p><small>${escape(say.labels[label] ?? label)}${tag} · ${say.changed} ${time(lang, changed)}</small>
<div><a href="/notes/${id}">${say.edit}</a> <a href="/notes/${id}/versions">${say.history}</a>
${inlineForm(who, `/notes/${id}/share`, say.share)} ${inlineForm(who, `/notes/${id}/delete`, say.remove, hidden('version', version))}</div></li>`;
}

// What was deleted, and what a note was: both come back by one call of the API.
async function trash({say, lang, who}) {
  const {records} = await spaces(who, 'GET', 'notes?trash=1&limit=100');
  const items = records.map(({id, document}) => `<li><p>${escape(document.text)}</p>${inlineForm(who, `/notes/${id}/restore`, say.restore)}</li>`);
  return page(say, lang, who, `<h1>${say.trash}</h1><p>${say.trashed}</p>${items.length ? `<ul>${items.join('')}</ul>` : `<p>${say.none}</p>`}<p><a href="/">${say.back}</a></p>`);
}

async function files({say, lang, who}) {
  const {files: list} = await api(who, 'GET', 'files/notes?limit=100');
  const items = list.map(({id, name, size: bytes}) => `<li><a href="/files/${id}">${escape(name)}</a> <small>${size(lang, bytes)}</small></li>`);
  return page(say, lang, who, `<h1>${say.files}</h1><form method="post" action="/files" enctype="multipart/form-data">${hidden('form', formToken(who))}
<label>${say.file} <input type="file" name="file" required></label> <button>${say.add}</button></form>
${items.length ? `<ul>${items.join('')}</ul>` : `<p>${say.noFiles}</p>`}<p><a href="/">${say.back}</a></p>`);
}

// A link for somebody without an account. Rempart refuses it where the note's label forbids it.
async function share({say, lang, who}, id) {
  const {link} = await api(who, 'POST', 'shares', {body: {kind: 'record', collection: 'notes', id, hours: 48, uses: 3}});
  return page(say, lang, who, `<h1>${say.share}</h1><p>${say.link}</p><p><a href="${escape(link)}">${escape(link)}</a></p><p><a href="/">${say.back}</a></p>`);
}

async function history({say, lang, who, id}) {
  const {versions} = await spaces(who, 'GET', `notes/${id}/versions`);
  const whole = await Promise.all(versions.slice(0, 10).map(({version}) => spaces(who, 'GET', `notes/${id}?version=${version}`)));
  const items = whole.map(({version, changed_at: changed, document}, i) => `<li><p>${escape(document.text)}</p><small>${say.version} ${version} · ${time(lang, changed)}</small>
${i ? inlineForm(who, `/notes/${id}/restore`, say.restore, hidden('version', version)) : ''}</li>`);
  return page(say, lang, who, `<h1>${say.history}</h1><ul>${items.join('')}</ul><p><a href="/">${say.back}</a></p>`);
}

// Exact search must be declared once for each organisation, and costs nothing when it is already.
const declared = new Set();
async function declareSearch(who) {
  if (declared.has(who.tid)) return;
  await api(who, 'PUT', 'collections/notes', {body: {search: ['tag']}});
  declared.add(who.tid);
}

async function list({say, lang, who, url, order}) {
  const after = /^[0-9a-f]{32}$/.test(url.searchParams.get('after') ?? '') ? `&after=${url.searchParams.get('after')}` : '';
  const tag = url.searchParams.get('tag');
  if (tag) await declareSearch(who);
  const {records, next} = await spaces(who, 'GET', `notes?limit=50${after}${tag ? `&tag=${encodeURIComponent(tag)}` : ''}`);
  records.sort((a, b) => (order === 'oldest' ? 1 : -1) * a.changed_at.localeCompare(b.changed_at));
  const other = order === 'oldest' ? 'newest' : 'oldest';
  return page(say, lang, who, `<h1>${tag ? `${say.tagged} ${escape(tag)}` : say.shared}</h1>
<form method="post" action="/notes">${hidden('form', formToken(who))}<label for="text">${say.text}</label><textarea id="text" name="text" required maxlength="10000"></textarea>
<label>${say.tag} <input name="tag" maxlength="60"></label><label>${say.label} <select name="label">${Object.entries(say.labels).map(([value, word]) =>
    `<option value="${value}"${value === 'internal' ? ' selected' : ''}>${word}</option>`).join('')}</select></label><button>${say.add}</button></form>
${records.length ? `<ul>${records.map(one => noteItem(say, lang, who, one)).join('')}</ul>` : `<p>${say.none}</p>`}
${next ? `<p><a href="/?after=${next}${tag ? `&amp;tag=${encodeURIComponent(tag)}` : ''}">${say.more}</a></p>` : ''}<p>${tag ? `<a href="/">${say.all}</a> · ` : ''}<a href="/files">${say.files}</a> · <a href="/trash">${say.trash}</a> · <a href="/?order=${other}">${say.sorted[other]}</a></p>`);
}

async function edit({say, lang, who, id, conflict}) {
  const {version, document} = await spaces(who, 'GET', `notes/${id}`);
  return page(say, lang, who, `<h1>${say.edit}</h1>${conflict ? `<p class="alert" role="alert">${say.conflict}</p>` : ''}
<form method="post" action="/notes/${id}">${hidden('form', formToken(who))}${hidden('version', version)}${hidden('tag', document.tag ?? '')}<label for="text">${say.edit}</label>
<textarea id="text" name="text" required maxlength="10000">${escape(document.text)}</textarea><button>${say.save}</button> <a href="/">${say.back}</a></form>`);
}

// ---- requests ----

function readForm(request) {
  return new Promise((resolve, reject) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', part => {
      if (body.length + part.length <= 65536) { body += part; return; }
      request.removeAllListeners('data').resume(); // the rest is read and kept nowhere
      reject(Object.assign(new Error('too large'), {status: 413}));
    });
    request.on('error', reject).on('end', () => resolve(new URLSearchParams(body)));
  });
}

function checkForm(context, token) {
  const given = Buffer.from(token ?? ''), right = Buffer.from(formToken(context.who));
  if (given.length !== right.length || !crypto.timingSafeEqual(given, right)) throw Object.assign(new Error(context.say.wrong), {status: 403});
}

async function change(context, request, id, action) {
  const form = await readForm(request);
  checkForm(context, form.get('form'));
  if (action === '/share') return share(context, id);
  const headers = form.get('version') ? {'if-match': `"${form.get('version')}"`} : {};
  const tag = (form.get('tag') ?? '').trim().slice(0, 60);
  const body = {text: (form.get('text') ?? '').slice(0, 10000), ...(tag && {tag})};
  if (action === '/restore') {
    const version = /^\d+$/.test(form.get('version') ?? '') ? `?version=${form.get('version')}` : '';
    await spaces(context.who, 'POST', `notes/${id}/restore${version}`);
    return;
  }
  if (tag) await declareSearch(context.who);
  const label = Object.hasOwn(context.say.labels, form.get('label') ?? '') ? `?label=${form.get('label')}` : '';
  if (action === '/delete') await spaces(context.who, 'DELETE', `notes/${id}`, {headers});
  else if (id) await spaces(context.who, 'PUT', `notes/${id}`, {body, headers});
  else await spaces(context.who, 'POST', `notes${label}`, {body});
}

async function answer(request, response) {
  const url = new URL(request.url, 'http://notes');
  const lang = languageOf(request), say = words[lang];
  const send = (status, html, headers = {}) => response.writeHead(status, {'content-type': 'text/html; charset=utf-8',
    'content-security-policy': 'default-src \'none\'; style-src \'self\'; form-action \'self\'; frame-ancestors \'none\'', ...headers}).end(html);
  if (url.pathname === '/notes.css') return response.writeHead(200, {'content-type': 'text/css'}).end(style);
  const who = await whoIs(request);
  if (!who) return send(403, page(say, lang, null, `<h1>${say.wrong}</h1><p>${say.nobody}</p>`));
  const order = url.searchParams.get('order') ?? /notes-order=(\w+)/.exec(request.headers.cookie ?? '')?.[1];
  const context = {say, lang, who, url, order};
  const [, id, action] = /^\/notes(?:\/([0-9a-f]{32})(\/delete|\/restore|\/share|\/versions)?)?$/.exec(url.pathname) ?? [];
  try {
    if (request.method === 'POST' && /^\/notes/.test(url.pathname)) {
      const shown = await change(context, request, id, action);
      return shown ? send(200, shown) : response.writeHead(303, {location: '/'}).end();
    }
    if (request.method === 'POST' && url.pathname === '/files') {
      const form = await readUpload(request);
      checkForm(context, form.fields.form);
      await upload(who, form);
      return response.writeHead(303, {location: '/files'}).end();
    }
    if (request.method === 'GET' && url.pathname === '/files') return send(200, await files(context));
    const file = request.method === 'GET' && /^\/files\/([0-9a-f]{32})$/.exec(url.pathname)?.[1];
    if (file) return await download(who, file, request, response);
    if (request.method === 'GET' && action === '/versions') return send(200, await history({...context, id}));
    if (request.method === 'GET' && url.pathname === '/trash') return send(200, await trash(context));
    if (request.method === 'GET' && id) return send(200, await edit({...context, id}));
    // A cookie as applications set them, without a thought: what the browser gets is up to the gate.
    if (request.method === 'GET' && url.pathname === '/') return send(200, await list(context), {'set-cookie': `notes-order=${order === 'oldest' ? 'oldest' : 'newest'}; Path=/`});
    return send(404, page(say, lang, who, `<h1>${say.gone}</h1><p><a href="/">${say.back}</a></p>`));
  } catch (error) {
    if (error.status === 412 && id && !action) return send(409, await edit({...context, id, conflict: true}));
    if (response.headersSent) return response.destroy();
    const status = error.status ?? 502;
    return send(status, page(say, lang, who, `<h1>${say.wrong}</h1><p role="alert">${escape(error.message)}</p><p><a href="/">${say.back}</a></p>`));
  }
}

const server = http.createServer((request, response) => answer(request, response).catch(error => {
  console.error(`notes-app: ${error.message}`);
  if (!response.headersSent) response.writeHead(500, {'content-type': 'text/plain'});
  response.end('500\n');
}));
if (/^\d+$/.test(listen)) server.listen(Number(listen), '127.0.0.1');
else {
  fs.rmSync(listen, {force: true});
  server.listen(listen, () => fs.chmodSync(listen, 0o660));
}
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(0));
