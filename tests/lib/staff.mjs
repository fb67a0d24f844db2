// The people of the operator, made in the order that the gates ask for: the first administrator comes
// in unchecked; everybody else is hired, signs, learns, is checked, and only then operates.
import assert from 'node:assert/strict';
import {sql} from './sabotage.mjs';

const api = '/.rempart/api/v1/registers';
export const digest = '0'.repeat(64);
export const date = days => new Date(Date.now() + days * 86400e3).toISOString().slice(0, 10);

const words = fields => Object.entries(fields).map(([k, v]) => `${k}=${typeof v === 'string' ? v : JSON.stringify(v)}`);

export class Staff {
  constructor(stack) { this.stack = stack; }

  // `rempart register …` as the machine's owner.
  async register(...args) {
    const {code, stdout, stderr} = await this.stack.rempart('register', ...args, '--json');
    if (code !== 0) throw new Error(stderr);
    return JSON.parse(stdout);
  }

  make(register, fields) { return this.register('new', register, ...words(fields)); }
  ownerMoves(register, id, move, fields = {}) { return this.register('move', register, id, move, ...words(fields)); }

  // The same as a person who is signed in.
  async ask(person, method, path, body) {
    const answer = await person.request(method, api + path, {body: body && JSON.stringify(body),
      headers: {accept: 'application/json', 'content-type': 'application/json', origin: this.stack.origin}});
    if (answer.status >= 300) throw new Error(`${answer.status} ${answer.text}`);
    return answer.json();
  }

  moves(person, register, id, move, fields = {}) { return this.ask(person, 'POST', `/${register}/${id}/move`, {move, fields}); }

  async one(register, match) {
    const found = (await this.register('list', register)).find(one => Object.entries(match).every(([k, v]) => one[k] === v));
    assert.ok(found, `${register} ${JSON.stringify(match)}`);
    return found;
  }

  async mainTenant() {
    const {tenants} = JSON.parse((await this.stack.rempart('tenant', 'list', '--json')).stdout);
    return tenants.find(one => one.name === 'main').id;
  }

  // The first administrator, with a record of their own.
  async first(name) {
    const person = await this.stack.firstAdministrator();
    const account = await sql(this.stack.file('db/system.db'), 'SELECT lower(hex(id)) FROM person ORDER BY created_ms DESC LIMIT 1');
    person.record = (await this.make('persons', {name, kind: 'employee', start: date(-9), account})).id;
    return person;
  }

  // A record of persons, and an account that is its own from the first moment.
  async hire(name, email, role = 'member') {
    const {id} = await this.make('persons', {name, kind: 'employee', start: date(-9)});
    const {code, stdout, stderr} = await this.stack.rempart('person', 'invite', email, '--tenant', await this.mainTenant(),
      '--role', role, '--record', id, '--json');
    assert.equal(code, 0, stderr);
    const person = await this.stack.enrol(JSON.parse(stdout).link);
    return Object.assign(person, {record: id, email});
  }

  // Signs, learns, and stands in post.
  async onboard(person, roles = []) {
    await this.ownerMoves('persons', person.record, 'begin');
    const nda = await this.one('acknowledgements', {person: person.record, kind: 'nda'});
    const aup = await this.one('acknowledgements', {person: person.record, kind: 'aup'});
    for (const one of [nda, aup]) await this.moves(person, 'acknowledgements', one.id, 'sign');
    const course = await this.one('training', {person: person.record, state: 'assigned'});
    await this.ownerMoves('training', course.id, 'pass', {score: 90, pass_mark: 80});
    await this.ownerMoves('persons', person.record, 'activate');
    if (roles.length) await this.register('edit', 'persons', person.record, `roles=${JSON.stringify(roles)}`);
  }

  // What a supplier needs before it works for us; one assesses, the other approves.
  async supplier(name, assessor, approver) {
    const risk = await this.make('risks', {scenario: `${name} stops`, owner: assessor.record});
    const {id} = await this.make('suppliers', {name, tier: 'two', service: 'background checks'});
    await this.moves(assessor, 'suppliers', id, 'assess', {questionnaire: digest, score: 80, risk: risk.id});
    await this.moves(approver, 'suppliers', id, 'approve');
    return this.ownerMoves('suppliers', id, 'activate',
      {contract: digest, clause_confidentiality: true, clause_availability: true, clause_integrity: true});
  }

  // The check that begins with the onboarding, brought to its end by somebody else.
  async check(person, agency, by) {
    const {id} = await this.one('background-checks', {person: person.record});
    await this.ownerMoves('background-checks', id, 'start', {agency: agency.id});
    await this.ownerMoves('background-checks', id, 'submit', {identity_result: 'confirmed', identity_on: date(-3), record_seen: true,
      record_seen_on: date(-3), record_seen_by: by.record, employment_result: 'none', employment_on: date(-3),
      education_result: 'confirmed', education_on: date(-3), report_sha256: digest});
    return this.moves(by, 'background-checks', id, 'clear');
  }

  async changeRole(person, role) {
    return this.stack.rempart('person', 'role', person.email, role, '--tenant', await this.mainTenant(), '--json');
  }

  // An operator who has everything; the sessions of before end with the change of role.
  async operate(person) {
    const {code, stderr} = await this.changeRole(person, 'operator');
    assert.equal(code, 0, stderr);
    await person.signIn();
  }
}
