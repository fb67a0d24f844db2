// A provider stands in front. Our name that leads past it, and a request that comes past it, turn S50's part red; green again
// once the name leads to the provider, and once nobody comes by another way.
import fs from 'node:fs';
import https from 'node:https';
import os from 'node:os';
import path from 'node:path';
import {after, before, test} from 'node:test';
import {turnsRed} from '../lib/sabotage.mjs';
import {Stack} from '../lib/stack.mjs';

// What this machine sends to an address of its own never leaves it; but it is not the loopback, so it is public.
const own = Object.values(os.networkInterfaces()).flat().find(one => one.family === 'IPv4' && !one.internal)?.address;
const skip = (process.getuid() !== 0 && 'only root gives a program its own /etc/hosts') ||
  (!own && 'this machine has no address but the loopback');
const name = 'shop.rempart.test';
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rempart-hosts-')), hosts = path.join(folder, 'hosts');
const leadsTo = address => fs.writeFileSync(hosts, `127.0.0.1 localhost\n${address} ${name}\n`, {mode: 0o644});
const inPrivate = ['unshare', '-m', '--propagation', 'private', 'sh', '-c', 'mount --bind "$0" /etc/hosts && exec "$@"', hosts];

let stack;
before(async () => {
  if (skip) return;
  fs.chmodSync(folder, 0o755);
  leadsTo('127.0.0.2');
  stack = await Stack.start({app: null, through: inPrivate, config: port => `host: ${name}
gate:
  listen: ${port}
  address: 0.0.0.0
  trusted_proxies: [127.0.0.0/8]
  client_address: header X-Forwarded-For
`});
  Object.defineProperty(stack, 'origin', {value: `https://${name}:${stack.port}`});
});
after(async () => {
  await stack?.stop();
  fs.rmSync(folder, {recursive: true, force: true});
});

const comesPast = () => new Promise((resolve, reject) => {
  https.get({host: own, port: stack.port, localAddress: own, servername: name, headers: {host: name}, path: '/trust',
    rejectUnauthorized: false, agent: false}, answer => answer.resume().on('end', resolve)).on('error', reject);
});

/*= S50 type=test */
test('a name that leads past the provider turns S50’s part red', {skip}, () => turnsRed(stack, {
  promise: 'ddos-providers', probe: 'ddos.path',
  sabotage: () => leadsTo('203.0.113.5'),
  mend: () => leadsTo('127.0.0.2'),
}));

/*= S50 type=test */
test('a request that comes past the provider turns it red', {skip}, () => turnsRed(stack, {
  promise: 'ddos-providers', probe: 'ddos.path', sabotage: comesPast, mend: () => {},
}));
