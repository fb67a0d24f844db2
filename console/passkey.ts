// passkey.ts — hands the browser's passkey or security key to the forms that wait for one.
//
// A form with data-passkey="create" or "get" is hidden until this runs. When it is sent, the address in
// data-ask says what is asked for (options in JSON, binary values in base64url), the browser asks the
// person, and the answer goes into the form's field "passkey". A field with data-with="name" goes along
// with that question under this name, and not with the form. What went wrong is said beside the button, in the
// words that the form brings along. Without this script the pages offer everything else.

type Answer = {id: string, type: string, response: Record<string, unknown>};

const bytes = (text: string): Uint8Array =>
  Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), sign => sign.charCodeAt(0));

const base64url = (buffer: ArrayBuffer): string =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');

const withBytes = (list: {id: string}[] = []): PublicKeyCredentialDescriptor[] =>
  list.map(one => ({...one, type: 'public-key', id: bytes(one.id)}));

async function create(options: any): Promise<Answer> {
  const made = await navigator.credentials.create({publicKey: {
    ...options, challenge: bytes(options.challenge), user: {...options.user, id: bytes(options.user.id)},
    excludeCredentials: withBytes(options.excludeCredentials),
  }}) as PublicKeyCredential;
  const response = made.response as AuthenticatorAttestationResponse & {getTransports?: () => string[]};
  return {id: base64url(made.rawId), type: made.type, response: {
    clientDataJSON: base64url(response.clientDataJSON), attestationObject: base64url(response.attestationObject),
    transports: response.getTransports?.() ?? [],
  }};
}

async function get(options: any): Promise<Answer> {
  const used = await navigator.credentials.get({publicKey: {
    ...options, challenge: bytes(options.challenge), allowCredentials: withBytes(options.allowCredentials),
  }}) as PublicKeyCredential;
  const response = used.response as AuthenticatorAssertionResponse;
  return {id: base64url(used.rawId), type: used.type, response: {
    clientDataJSON: base64url(response.clientDataJSON), authenticatorData: base64url(response.authenticatorData),
    signature: base64url(response.signature), userHandle: response.userHandle ? base64url(response.userHandle) : null,
  }};
}

class Refused extends Error {
  constructor(readonly status: number) { super(); }
}

async function ask(form: HTMLFormElement): Promise<any> {
  const secret = form.elements.namedItem('form') as HTMLInputElement;
  const body = new URLSearchParams({form: secret.value});
  for (const field of form.querySelectorAll<HTMLInputElement>('[data-with]')) body.set(field.dataset.with!, field.value);
  const answer = await fetch(form.dataset.ask ?? '', {method: 'POST', body, headers: {accept: 'application/json'}});
  if (!answer.ok) throw new Refused(answer.status);
  return answer.json();
}

// The name of what went wrong, as the form has words for it.
function reason(error: unknown): string {
  if (error instanceof Refused) return error.status === 403 ? 'present' : error.status === 429 ? 'rate' : 'failed';
  const name = error instanceof Error || error instanceof DOMException ? error.name : '';
  if (name === 'NotAllowedError' || name === 'AbortError') return 'cancelled';
  if (name === 'InvalidStateError') return 'known';
  return name === 'NotSupportedError' || name === 'ConstraintError' ? 'unsupported' : 'failed';
}

async function fill(form: HTMLFormElement): Promise<void> {
  const says = form.querySelector<HTMLElement>('[data-says]')!;
  const button = form.querySelector<HTMLButtonElement>('button[type=submit]')!;
  const field = form.elements.namedItem('passkey') as HTMLInputElement;
  says.hidden = true;
  button.disabled = true;
  try {
    const answer = await (form.dataset.passkey === 'create' ? create : get)(await ask(form));
    field.value = JSON.stringify(answer);
    form.submit();
  } catch (error) {
    says.textContent = says.dataset[reason(error)] ?? says.dataset.failed ?? '';
    says.hidden = false;
    button.disabled = false;
    button.focus();
  }
}

for (const form of document.querySelectorAll<HTMLFormElement>('form[data-passkey]')) {
  form.hidden = !window.PublicKeyCredential;
  form.addEventListener('submit', event => {
    event.preventDefault();
    void fill(form);
  });
}
for (const note of document.querySelectorAll<HTMLElement>('[data-without-passkeys]')) {
  note.hidden = Boolean(window.PublicKeyCredential);
}
