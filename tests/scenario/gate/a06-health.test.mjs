// Instances of an application that are asked whether they are well: what no request should have to meet.
import assert from 'node:assert/strict';
import http from 'node:http';
import {after, before, test} from 'node:test';
import {freePort, until} from '../../lib/stack.mjs';
import {Gate} from './alone.mjs';

// An instance whose health a test sets: a status, or "silent": it takes connections and never answers.
class Instance {
  constructor(name) { Object.assign(this, {name, health: 200, asked: 0, served: 0, hosts: new Set()}); }
  async open() {
    this.server = http.createServer((request, response) => {
      if (request.url !== '/healthz?deep=1') {
        this.served++;
        response.end(this.name);
        return;
      }
      this.asked++;
      this.hosts.add(request.headers.host);
      if (this.health !== 'silent') response.writeHead(this.health).end();
    });
    await new Promise(resolve => this.server.listen(0, '127.0.0.1', resolve));
    this.port = this.server.address().port;
    return this;
  }
  get at() { return `127.0.0.1:${this.port}`; }
  close() { return new Promise(resolve => { this.server.closeAllConnections(); this.server.close(resolve); }); }
}

let gate, one, two, gone;
before(async () => {
  [one, two] = await Promise.all(['one', 'two'].map(name => new Instance(name).open()));
  gone = `127.0.0.1:${await freePort()}`;
  gate = await Gate.start(({port}) => `host: localhost
gate: {listen: ${port}}
apps: [{name: shop, upstreams: ["http://${one.at}", "http://${two.at}", "http://${gone}"], health: "/healthz?deep=1", sign_in: none}]
`);
});
after(async () => { await gate?.stop(); await one?.close(); await two?.close(); });

// Who answered twenty requests.
async function answers() {
  const all = await Promise.all(Array.from({length: 20}, () => gate.ask('/')));
  assert.deepEqual(all.map(({status}) => status), all.map(() => 200));
  return [...new Set(all.map(({text}) => text))].sort().join(' ');
}
const answered = (who, what) => until(what, async () => await answers() === who, {seconds: 40, every: 500});
const said = words => until(words, () => gate.log.includes(words), {seconds: 40});

test('each is asked at the application\'s host; one that takes no connection is left out', async () => {
  await until('both asked', () => one.asked > 0 && two.asked > 0);
  assert.deepEqual([...one.hosts], ['localhost']);
  await said(`${gone} is left out: it takes no connection`);
  await answered('one two', 'both serve');
});

test('one that answers with an error gets no requests until it is well again', async () => {
  one.health = 503;
  await said(`${one.at} is left out: its answer is an error`);
  const before = one.served;
  for (let i = 0; i < 3; i++) assert.equal(await answers(), 'two');
  assert.equal(one.served, before);
  one.health = 204;
  await said(`${one.at} is well again`);
  await answered('one two', 'both serve again');
});

test('one that takes connections and never answers is left out', async () => {
  two.health = 'silent';
  await said(`${two.at} is left out: no answer within two seconds`);
  assert.equal(await answers(), 'one');
  two.health = 200;
  await answered('one two', 'both serve again');
});

// Which worker asks about which instance follows from its number: whoever takes a dead one's number takes its instances.
test('a worker that takes the place of another goes on with what that one found', async () => {
  one.health = 503;
  const left = () => gate.log.split(`${one.at} is left out`).length, well = () => gate.log.split(`${one.at} is well again`).length;
  const before = [left(), well()];
  await until('one is left out', () => left() > before[0], {seconds: 40});
  for (const pid of gate.worker) process.kill(pid, 'SIGKILL');
  one.health = 200;
  await until('one is well again', () => well() > before[1], {seconds: 40});
  await answered('one two', 'both serve again');
});

test('where all fail, all are asked', async () => {
  const errors = () => gate.log.split('its answer is an error').length, before = errors();
  one.health = two.health = 500;
  await until('both are ill', () => errors() === before + 2, {seconds: 40});
  await answered('one two', 'both serve');
});
