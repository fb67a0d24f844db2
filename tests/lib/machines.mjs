// machines.mjs — an installation of two machines: network namespaces with a cable between them, each with its own
// /etc/machine-id. The data's machine stands in our own namespace, so that a test reaches its gate; the keys' in another.
//
//   const machines = await Machines.start();   // null where that cannot be: not root, no namespaces, no user rempart-link
//   machines.data, machines.keys               // two Stacks, paired
//   machines.cable('down');
//   await machines.stop();
import {execFileSync} from 'node:child_process';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {Stack, bin, freePort, run, until} from './stack.mjs';

export const why = 'not root, or no network namespaces, or no user rempart-link (scripts/setup)';

const ip = (...args) => execFileSync('ip', args, {stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8'});

// This machine's fingerprint, as an operator reads it before the first start.
export async function fingerprint(state) {
  const {code, stdout, stderr} = await run(path.join(bin, 'rempart'), ['link', 'key', '--state', state]);
  assert.equal(code, 0, stderr);
  return stdout.trim();
}

export function newState() {
  const state = fs.mkdtempSync(path.join(os.tmpdir(), 'rempart-'));
  fs.chmodSync(state, 0o755);
  return state;
}

export class Machines {
  constructor() {
    this.space = `rempart-${process.pid}`;
    this.near = `rp${process.pid}a`;
    this.far = `rp${process.pid}b`;
    const net = `10.231.${process.pid % 250}`;
    this.here = `${net}.1`;
    this.there = `${net}.2`;
    this.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rempart-machines-'));
  }

  static async start() {
    const machines = new this();
    try {
      if (!machines.plug()) {
        await machines.stop();
        return null;
      }
      fs.writeFileSync(path.join(machines.folder, 'own'), `${'5e'.repeat(16)}\n`);
      fs.copyFileSync('/etc/machine-id', path.join(machines.folder, 'same'));
      await machines.pair();
      return machines;
    } catch (error) {
      await machines.stop();
      throw error;
    }
  }

  plug() {
    if (process.getuid() !== 0 || !fs.existsSync('/etc/machine-id')) return false;
    try {
      execFileSync('id', ['rempart-link'], {stdio: 'ignore'});
      ip('netns', 'add', this.space);
      ip('link', 'add', this.near, 'type', 'veth', 'peer', 'name', this.far, 'netns', this.space);
    } catch {
      return false;
    }
    ip('addr', 'add', `${this.here}/24`, 'dev', this.near);
    ip('link', 'set', this.near, 'up');
    ip('-n', this.space, 'addr', 'add', `${this.there}/24`, 'dev', this.far);
    ip('-n', this.space, 'link', 'set', 'lo', 'up');
    this.cable('up');
    return true;
  }

  // At the far end: the near one keeps its route, so that nothing looks for another way.
  cable(state) { ip('-n', this.space, 'link', 'set', this.far, state); }

  // What starts a program as the keys' machine, with the id of that name.
  asKeys(id) {
    return ['ip', 'netns', 'exec', this.space, 'unshare', '-m', '--propagation', 'private', 'sh', '-c',
      `mount --bind ${path.join(this.folder, id)} /etc/machine-id && exec "$@"`, 'sh'];
  }

  async pair() {
    const keys = newState(), data = newState(), port = await freePort();
    this.metricsPort = await freePort();
    this.prints = {keys: await fingerprint(keys), data: await fingerprint(data)};
    const started = await Promise.allSettled([
      Stack.start({state: data, port, config: this.dataConfig(port)}),
      Stack.start({state: keys, app: null, config: this.keysConfig(), through: this.asKeys('own')})]);
    [this.data, this.keys] = started.map(({value}) => value);
    for (const {reason} of started) if (reason) throw reason;
    await this.meet();
  }

  keysConfig() {
    return `runs: [kms]
link:
  listen: "${this.there}:7443"
  peers:
    - {name: data, address: "${this.here}:7443", key: "${this.prints.data}", runs: [ledger, core, hunt]}
`;
  }

  dataConfig(port) {
    return `host: localhost
gate:
  listen: ${port}
  metrics_port: ${this.metricsPort}
link:
  listen: "${this.here}:7443"
  peers:
    - {name: keys, address: "${this.there}:7443", key: "${this.prints.keys}", runs: [kms]}
apps:
  - name: notes
    upstream: unix:run/notes.sock
    sign_in: required
`;
  }

  // What a machine's link says of the other.
  link(stack) { return JSON.parse(fs.readFileSync(stack.file('run/link.json'), 'utf8')).machines[0]; }

  async meet() {
    await until('both directions', () => [this.data, this.keys].every(one => this.link(one).asks.up && this.link(one).answers.up), {seconds: 20});
  }

  // The keys' machine, begun anew as the machine of this id.
  async again(id) {
    await this.keys.down();
    this.keys.through = this.asKeys(id);
    await this.keys.up();
    await this.meet();
  }

  async stop() {
    await this.data?.stop();
    await this.keys?.stop();
    for (const args of [['netns', 'del', this.space], ['link', 'del', this.near]]) {
      try { ip(...args); } catch { /* not made, or gone with the other end */ }
    }
    fs.rmSync(this.folder, {recursive: true, force: true});
  }
}
