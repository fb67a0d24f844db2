// A firewall that learns: what it would have refused to honest people is proposed, accepted by a person, not asked there
// any more a second later, and asked again when that is taken back. Who signs in alone teaches nothing.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import {after, before, test} from 'node:test';
import {Stack, until} from '../../lib/stack.mjs';
import {echoApp} from '../../lib/upstream.mjs';

let stack, app, people;
const config = port => `host: localhost
gate:
  listen: ${port}
  workers: 2
waf: {learn_people: 3, learn_organisations: 2}
apps:
  - name: wiki
    upstream: ${app.url}
    sign_in: required
    waf: {mode: learn, label: personal}
    paths:
      - {path: /strict/, waf: "on"}
`;
const invited = async (email, tenant) => {
  const {stdout, stderr, code} = await stack.rempart('person', 'invite', email, '--tenant', tenant);
  assert.equal(code, 0, stderr);
  return stack.enrol(stdout.trim());
};
before(async () => {
  app = await echoApp();
  stack = await Stack.start({app: null, config});
  const [acme, globex] = await Promise.all(['Acme', 'Globex'].map(async name => (await stack.rempart('tenant', 'create', name)).stdout.trim()));
  people = await Promise.all([invited('ann@example.com', acme), invited('bob@example.com', acme), invited('lea@example.com', globex)]);
});
after(async () => {
  await stack?.stop();
  await app?.close();
});

const markup = encodeURIComponent('<script>alert(1)</script>');
const ask = async (person, target) => (await person.get(target)).status;
async function waf(...args) {
  const {code, stdout, stderr} = await stack.rempart('waf', ...args);
  assert.equal(code, 0, `waf ${args.join(' ')}: ${stderr}`);
  return stdout.trim();
}
const proposals = async () => JSON.parse(await waf('proposals', '--json')).proposals;
// Everything in the operator's log, as its files hold it.
const files = folder => fs.readdirSync(folder, {withFileTypes: true}).flatMap(entry =>
  entry.isDirectory() ? files(path.join(folder, entry.name)) : [path.join(folder, entry.name)]);
const log = () => files(stack.file('ledger/operator/tile/entries')).map(file => fs.readFileSync(file, 'latin1')).join('\n');

/*= S58 type=test */
test('what honest people meet is proposed, with the requests behind it and without what they sent', async () => {
  for (const person of people) assert.equal(await ask(person, `/page/17/edit?text=${markup}&name=Zo%C3%AB+Martin`), 200, 'learning refuses nobody');
  const list = await until('the proposal', async () => {
    const all = await proposals();
    return all.find(one => one.variable === 'ARGS:text')?.people === 3 && all;
  });
  for (const one of list) {
    assert.equal(one.app, 'wiki');
    assert.equal(one.path, '/page/*/edit');
    assert.equal(one.acceptable, true);
    assert.deepEqual([one.people, one.organisations], [3, 2]);
    assert.match(one.sample, /^[^A-Zb-z0-8]*$/, 'the form of it alone');
    assert.ok(Date.parse(one.first_seen) <= Date.parse(one.last_seen));
  }
  assert.match(await waf('proposals'), /941\d{3}\s+ARGS:text\s+wiki\s+\/page\/\*\/edit\s+XSS[\s\S]*people 3\/3, organisations 2\/2/);
  assert.doesNotMatch(await waf('proposals'), /alert|Martin/);
});

/*= S58 type=test */
test('what people send is a model that a person may take: never in force by itself, and nothing of one alone', async () => {
  const post = (person, body, type) => person.request('POST', '/orders', {body, headers: {'content-type': type, 'content-length': Buffer.byteLength(body)}});
  for (const [i, person] of people.entries()) {
    assert.equal(await ask(person, `/orders/${17 + i}?page=${i}&note=Zo%C3%AB`), 200);
    assert.equal((await post(person, JSON.stringify({sku: 'A-1', lines: [{n: i}, {n: 2, tags: ['secret']}]}), 'application/json')).status, 200);
  }
  assert.equal(await ask(people[0], '/orders/1?mine=alone'), 200);
  const model = await until('all three behind it', async () => {
    const text = await waf('model', 'learn', 'wiki');
    return /'tags':/.test(text) && /'note'.* 3 people/.test(text) && text;
  });
  assert.match(model, /openapi: 3\.1\.0/);
  assert.match(model, /'\/orders\/\{id1\}':\n {4}get: # 4 times, 3 people\n {6}parameters:\n {8}- \{name: id1, in: path, required: true, schema: \{type: integer\}\}/);
  assert.match(model, /\{name: 'page', in: query, schema: \{type: integer\}\}/);
  assert.doesNotMatch(model, /mine|alone|secret|Zo/, 'of one person, or what they sent');
  assert.match((await stack.rempart('waf', 'model', 'learn', 'none')).stderr, /no application none/);
  assert.equal(await ask(people[1], '/elsewhere?odd=1'), 200, 'nothing is in force by asking');
  const wiki = stack.file('wiki.yaml');
  fs.writeFileSync(wiki, model);
  const config = fs.readFileSync(stack.file('rempart.yaml'), 'utf8');
  fs.writeFileSync(stack.file('rempart.yaml'), config.replace('label: personal', `label: personal, model: ${wiki}, model_mode: detect`));
  const {code, stdout, stderr} = await stack.rempart('check');
  assert.equal(code, 0, stdout + stderr);
  fs.writeFileSync(stack.file('rempart.yaml'), config);
});

/*= S58 type=test */
test('one who signed in alone teaches nothing: accepting is refused and says what is missing', async () => {
  for (let i = 0; i < 12; i++) assert.equal(await ask(people[0], `/secret?q=1%27%20OR%20%271%27=%271`), 200);
  const one = await until('the sighting', async () => (await proposals()).find(p => p.path === '/secret' && p.requests >= 12));
  assert.deepEqual([one.people, one.organisations, one.acceptable], [1, 1, false]);
  const {code, stderr} = await stack.rempart('waf', 'accept', one.id, '--reason', 'please');
  assert.notEqual(code, 0);
  assert.match(stderr, /1 people of 1 organisations met it; it takes 3 of 2/);
  assert.equal(JSON.parse(await waf('exclusions', '--json')).exclusions.length, 0);
});

/*= S58 type=test */
test('an accepted exclusion holds within seconds, at its place alone, and ends when it is taken back', async () => {
  const file = stack.file('rempart.yaml');
  const gate = await stack.pid('gate');
  const workers = () => fs.readFileSync(`/proc/${gate}/task/${gate}/children`, 'utf8').trim().split(' ');
  const old = workers();
  fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace('mode: learn', 'mode: "on"'));
  assert.equal((await stack.rempart('reload')).code, 0);
  await until('new workers alone', () => !workers().some(pid => old.includes(pid)));
  const place = `/page/99/edit?text=${markup}`;
  await until('the rules refuse', async () => await ask(people[0], place) === 403);
  for (const one of await proposals()) {
    if (one.acceptable) assert.match(await waf('accept', one.id, '--reason', 'the editor sends markup'), /in force within a second/);
  }
  await until('it passes', async () => await ask(people[0], place) === 200);
  assert.equal(await ask(people[0], `/page/99/edit?other=${markup}`), 403, 'another variable');
  assert.equal(await ask(people[0], `/page/99?text=${markup}`), 403, 'another place');
  assert.equal(await ask(people[0], `/strict/page/99/edit?text=${markup}`), 403, 'another place');
  assert.equal(await ask(people[0], '/page/99/edit?text=1%27%20UNION%20SELECT%20password%20FROM%20users--'), 403, 'another attack');
  assert.equal(await stack.pid('gate'), gate, 'nothing was restarted');
  await until('the event', () => /"waf\.exclusion".*the editor sends markup/.test(log()));
  const {exclusions} = JSON.parse(await waf('exclusions', '--json'));
  assert.ok(exclusions.length > 0);
  assert.equal(exclusions[0].people, 3);
  for (const one of exclusions) assert.match(await waf('exclusions', 'remove', one.id), /holds again/);
  await until('it is refused again', async () => await ask(people[0], place) === 403);
  assert.match(await waf('exclusions'), /No exclusion/);
});

test('a rejected proposal is not shown again; what does not exist is said', async () => {
  const [one] = await proposals();
  await waf('reject', one.id, '--reason', 'an attack, not a person');
  assert.ok(!(await proposals()).some(other => other.id === one.id));
  const again = await stack.rempart('waf', 'accept', one.id, '--reason', 'x');
  assert.notEqual(again.code, 0);
  for (const args of [['accept', '00000000', '--reason', 'x'], ['accept', one.id], ['exclusions', 'remove', '12345678'], ['top', '--by', 'noise'], ['top', '--since', '99d']]) {
    const {code, stderr} = await stack.rempart('waf', ...args);
    assert.notEqual(code, 0, args.join(' '));
    assert.ok(stderr.length > 0);
  }
});

test('the list of rules says who alarms, who refuses, and what it costs', async () => {
  const alarms = JSON.parse(await waf('top', '--json')).rules;
  assert.ok(alarms[0].false_alarms >= 3 && alarms[0].matches >= alarms[0].false_alarms);
  const blocks = JSON.parse(await waf('top', '--by', 'blocks', '--since', '1d', '--json')).rules;
  assert.ok(blocks.some(rule => String(rule.rule).startsWith('941') && rule.blocks >= 2));
  for (let i = 0; i < 130; i++) await ask(people[0], `/page/${i}?q=hello`); // one of 64 is measured, in each worker
  const cost = await until('a measured rule', async () => {
    const {rules} = JSON.parse(await waf('top', '--by', 'cost', '--json'));
    return rules.length > 0 && rules;
  });
  assert.ok(cost.every((rule, i) => i === 0 || rule.steps <= cost[i - 1].steps));
  assert.match(await waf('top', '--by', 'blocks'), /XSS/);
});
