// log-machine.mjs — two machines as in machines.mjs, but the far one keeps the log's copy, not the keys.
//
//   const machines = await LogMachines.start();
//   machines.data, machines.logs
import fs from 'node:fs';
import {Machines, fingerprint, newState} from './machines.mjs';
import {Stack, freePort} from './stack.mjs';

export class LogMachines extends Machines {
  get logs() { return this.keys; } // the far one

  // The log's key is made at its first start, so the data's machine starts first.
  async pair() {
    const logs = newState(), data = newState(), port = await freePort();
    this.prints = {keys: await fingerprint(logs), data: await fingerprint(data)};
    this.data = await Stack.start({state: data, port, app: null, config: this.dataConfig(port)});
    const {stdout: key} = await this.data.rempart('ledger', 'key');
    this.keys = await Stack.start({state: logs, app: null, config: this.logsConfig(key), through: this.asKeys('own')});
    await this.meet();
  }

  logsConfig(key) {
    return `runs: [vault]
vault:
  log: ${key}link:
  listen: "${this.there}:7443"
  peers:
    - {name: data, address: "${this.here}:7443", key: "${this.prints.data}", runs: [ledger, core, hunt]}
`;
  }

  dataConfig(port) {
    return `host: localhost
gate:
  listen: ${port}
link:
  listen: "${this.here}:7443"
  peers:
    - {name: logs, address: "${this.there}:7443", key: "${this.prints.keys}", runs: [vault]}
`;
  }

  // What the data's machine says of the copy.
  copy() { return JSON.parse(fs.readFileSync(this.data.file('run/vault-copy.json'), 'utf8')); }
}
