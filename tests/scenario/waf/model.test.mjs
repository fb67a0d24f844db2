// What an application is sent, and nothing else: an OpenAPI file before it. Beside it: a paranoia level of one application's
// own, a request that would cost too much, and where the page says which rules these are.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {after, before, test} from 'node:test';
import {Stack, until} from '../../lib/stack.mjs';
import {echoApp} from '../../lib/upstream.mjs';

let stack, app, folder;
const model = `openapi: 3.0.3
info: {title: Shop, version: "1"}
servers: [{url: https://localhost/api}]
paths:
  /orders:
    get:
      parameters:
        - {name: page, in: query, schema: {type: integer, minimum: 1, maximum: 500}}
        - {name: lang, in: cookie, schema: {type: string, pattern: '^[a-z]{2}$'}}
    post:
      requestBody:
        required: true
        content:
          application/json: {schema: {$ref: '#/components/schemas/Order'}}
          application/x-www-form-urlencoded: {schema: {type: object, required: [sku], properties: {sku: {type: string, maxLength: 8}}}}
  /orders/{id}:
    delete: {parameters: [{name: id, in: path, required: true, schema: {type: integer}}]}
components:
  schemas:
    Order:
      type: object
      required: [sku]
      properties:
        sku: {type: string, maxLength: 8}
        note: {type: string, maxLength: 100000}
        lines: {type: array, maxItems: 20, items: {$ref: '#/components/schemas/Order'}}
`;
const config = (port, {mode = 'on', budget = 'block'} = {}) => `host: localhost
gate:
  listen: ${port}
waf: {rules: ${folder}/rules, over_budget: ${budget}}
apps:
  - name: shop
    upstream: ${app.url}
    sign_in: none
    waf: {model: ${folder}/shop.yaml, model_mode: ${mode === 'on' ? '"on"' : mode}}
  - name: strict
    host: strict.localhost
    upstream: ${app.url}
    sign_in: none
    waf: {paranoia: 4}
`;
before(async () => {
  app = await echoApp();
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rempart-model-'));
  fs.chmodSync(folder, 0o755);
  fs.mkdirSync(`${folder}/rules`);
  fs.writeFileSync(`${folder}/rules/all.conf`, `Include /etc/modsecurity/crs/crs-setup.conf
Include /usr/share/modsecurity-crs/rules/*.conf
SecRule ARGS:slow "@rx (?:x+x+)+y$" "id:77001,phase:2,deny,status:403"
`);
  fs.writeFileSync(`${folder}/shop.yaml`, model);
  stack = await Stack.start({app: null, config});
});
after(async () => {
  await stack?.stop();
  await app?.close();
  fs.rmSync(folder, {recursive: true, force: true});
});

const ask = (method, target, {type, body, ...headers} = {}) =>
  stack.client().request(method, target, {body, headers: {...(type && {'content-type': type}), ...headers}});
const json = (body, type = 'application/json') => ask('POST', '/api/orders', {type, body: typeof body === 'string' ? body : JSON.stringify(body)});
const files = folder => fs.readdirSync(folder, {withFileTypes: true}).flatMap(entry =>
  entry.isDirectory() ? files(path.join(folder, entry.name)) : [path.join(folder, entry.name)]);
const events = id => files(stack.file('ledger/operator/tile/entries')).flatMap(file => fs.readFileSync(file, 'latin1').split('{"activity_id"'))
  .filter(one => one.includes(`"${id}"`));
async function reload(text, {code = 0} = {}) {
  fs.writeFileSync(stack.file('rempart.yaml'), text);
  const done = await stack.rempart('reload');
  assert.equal(done.code, code, done.stderr);
  return done.stderr;
}

/*= S58 type=test */
test('what the model names passes, what it does not is refused with its reason', async () => {
  const good = [['GET', '/api/orders'], ['HEAD', '/api/orders'], ['GET', '/api/orders?page=12'], ['DELETE', '/api/orders/17'],
    ['GET', '/api/orders', {cookie: 'a=b; lang=fr'}]];
  for (const [method, target, headers] of good) assert.equal((await ask(method, target, headers)).status, 200, target);
  assert.equal((await json({sku: 'ab', lines: [{sku: 'cd'}]})).status, 200);
  assert.equal((await json('sku=ab', 'application/x-www-form-urlencoded')).status, 200);
  // Over 32 KiB a thread judges, over the memory's buffers nginx hands it over in pieces.
  assert.equal((await json({sku: 'ab', note: 'word '.repeat(12000)})).status, 200);
  const asked = app.seen.length;
  const bad = [
    ['not_an_integer', 'query page', () => ask('GET', '/api/orders?page=x')],
    ['too_large', 'query page', () => ask('GET', '/api/orders?page=501')],
    ['unknown_name', 'query debug', () => ask('GET', '/api/orders?debug=1')],
    ['unknown_path', 'path', () => ask('GET', '/api/admin')],
    ['unknown_path', 'path', () => ask('GET', '/api/orders/../admin')],
    ['unknown_method', 'method', () => ask('PUT', '/api/orders', {type: 'application/json', body: '{}'})],
    ['not_an_integer', 'path id', () => ask('DELETE', '/api/orders/all')],
    ['not_the_pattern', 'cookie lang', () => ask('GET', '/api/orders', {cookie: 'lang=xyz'})],
    ['unknown_name', 'body role', () => json({sku: 'ab', role: 'admin'})],
    ['too_long', 'body lines.1.sku', () => json({sku: 'ab', lines: [{sku: 'a'}, {sku: '123456789'}]})],
    ['not_an_object', 'body', () => json([1])],
    ['bad_syntax', 'body', () => json('{"sku":"ab","sku":"cd"}')],
    ['missing', 'form sku', () => json('', 'application/x-www-form-urlencoded').then(answer => answer.status === 403 ? answer : json('x=', 'application/x-www-form-urlencoded'))],
    ['unknown_type', 'body', () => json('x', 'text/plain')],
    ['unknown_name', 'body secret', () => json({sku: 'ab', note: 'word '.repeat(12000), secret: 1})],
  ];
  for (const [violation, place, send] of bad) {
    const answer = await send();
    assert.equal(answer.status, 403, `${violation} ${place}`);
  }
  assert.equal(app.seen.length, asked, 'none of them reached the application');
  for (const [violation, place, send] of bad) {
    if (place === 'form sku') continue; // an empty form is no body at all
    await until(`${violation} at ${place}`, async () => {
      if (events('waf.model').some(one => one.includes(`"violation":"${violation}"`) && one.includes(`"variable":"${place}"`))) return true;
      await send(); // the log takes 20 refusals a second of one source, and counts the others
      return false;
    }, {every: 300});
  }
});

/*= S58 type=test */
test('who is refused reads why in their language, with the number that the log has', async () => {
  const fr = await ask('GET', '/api/orders?page=x', {'accept-language': 'fr'});
  assert.match(fr.text, /<html lang="fr">[\s\S]*Demande inattendue[\s\S]*Numéro d’incident/);
  // The log takes 20 refusals a second of one source and counts the others, so the number is looked for anew.
  const problems = [];
  await until('the incident', async () => {
    problems.push((await ask('GET', '/api/orders?page=x', {accept: 'application/json'})).json());
    return events('waf.model').some(one => problems.some(problem => one.includes(problem.incident)));
  }, {every: 500});
  assert.equal(problems[0].code, 'model');
  assert.match(problems[0].title, /Unexpected request/);
});

test('detect tells and lets pass; the rules still refuse', async () => {
  await reload(config(stack.port, {mode: 'detect'}));
  await until('it passes', async () => (await ask('GET', '/api/orders?tell=1')).status === 200);
  await until('it is told', async () => {
    await ask('GET', '/api/orders?tell=1');
    return events('waf.model').some(one => one.includes('"variable":"query tell"') && one.includes('"detected":1'));
  }, {every: 300});
  assert.equal((await ask('GET', '/api/orders?page=%3Cscript%3Ealert(1)%3C/script%3E')).status, 403);
});

test('a model that says more than is judged is refused with its place, and what runs goes on', async () => {
  fs.writeFileSync(`${folder}/shop.yaml`, model.replace("schema: {type: integer}}]}", "schema: {type: integer, multipleOf: 2}}]}"));
  await reload(config(stack.port), {code: 2});
  assert.match(stack.output, /shop\.yaml:17:\d+: .*"multipleOf" in a schema is not judged/);
  assert.equal((await ask('GET', '/api/orders?tell=2')).status, 200);
  const check = await stack.rempart('check');
  assert.equal(check.code, 2);
  assert.match(check.stderr, /shop\.yaml:17:/);
  fs.writeFileSync(`${folder}/shop.yaml`, model);
  fs.writeFileSync(`${folder}/rules/zz.conf`, 'SecRule ARGS "@nosuch x" "id:1,phase:2,deny"\n');
  const rules = await stack.rempart('check');
  assert.equal(rules.code, 2);
  assert.match(rules.stderr, /zz\.conf:1:\d+: /);
  fs.rmSync(`${folder}/rules/zz.conf`);
  const good = await stack.rempart('check');
  assert.equal(good.code, 0, good.stderr);
});

test('an application has a paranoia level of its own', async () => {
  const odd = '/?q=a%7Cb%7E'; // signs that only the strictest level minds
  assert.equal((await stack.client().request('GET', `https://strict.localhost:${stack.port}${odd}`)).status, 403);
  assert.equal((await ask('GET', `/api/orders${odd.slice(1)}`)).status, 200);
});

/*= S64 type=test */
test('a request that would cost too much is refused, or told where that is set, with the rule that spent it', async () => {
  const slow = `https://strict.localhost:${stack.port}/?slow=${'x'.repeat(60)}yz`;
  const answer = await stack.client().request('GET', slow);
  assert.equal(answer.status, 403);
  assert.match(answer.text, /Request too complex/);
  // Of more than twenty refusals of one address in a second the log has a count alone, and the probes come from here too.
  await until('the event', async () => events('waf.over_budget').some(one => one.includes('"rule":77001') && one.includes('"detected":0')) ||
    (await stack.client().request('GET', slow)).status !== 403, {every: 1000});
  await reload(config(stack.port, {mode: 'detect', budget: 'detect'}));
  await until('it passes', async () => (await stack.client().request('GET', slow)).status === 200);
  await until('it is told', async () => events('waf.over_budget').some(one => one.includes('"rule":77001') && one.includes('"detected":1')) ||
    (await stack.client().request('GET', slow)).status !== 200, {every: 1000});
});

test('the page says which rules stand before the applications', async () => {
  const {firewall} = await stack.trust();
  assert.match(firewall.rule_set, /^OWASP_CRS\/3\./);
  assert.match(firewall.sha256, /^[0-9a-f]{64}$/);
  const page = await stack.client().get('/trust');
  assert.ok(page.text.includes(firewall.rule_set) && page.text.includes(firewall.sha256.slice(0, 16)));
});
