/** Sessions, devices and codes of a person for the property tests: stand-ins to draw with, and the real things, each made anew. */
import { basePath } from './requests.ts';
import { envelopeOf, type Wire } from './wire.ts';
import type { Person } from '../system.ts';

const standIns = {
  session: '00000000-0000-4000-8000-00000000c001',
  device: '00000000-0000-4000-8000-00000000d001',
  sessionToken: 'the-one-time-token-of-a-session-signed-in--',
  deviceCode: 'the-device-code-of-a-link-that-is-approved-',
  userCode: 'QQQQQQQQ',
  refreshToken: 'the-refresh-token-of-a-session',
} as const;

/** What a request may name, by the field it stands in. */
export const existingSignIns = {
  session_id: standIns.session, device_id: standIns.device, token: standIns.sessionToken,
  device_code: standIns.deviceCode, user_code: standIns.userCode, refresh_token: standIns.refreshToken,
} as const;

interface Pair { readonly session_id: string; readonly access_token: string; readonly refresh_token: string }
interface Grant { readonly device_code: string; readonly user_code: string }

/** Each request from an address of its own, as the wire sends them: limits by address have tests of their own. */
export class SignInThings {
  readonly #wire: Wire;
  readonly #person: Person;
  #leaving: { readonly id: string; readonly token: string } | null = null;

  constructor(wire: Wire, person: Person) {
    this.#wire = wire;
    this.#person = person;
  }

  /** Signs in once more, on a device. */
  signIn(): Promise<Pair> {
    const device = { device_id: 'device-of-the-properties', name: 'A device', platform: 'web' };
    return this.#ask('POST', '/auth/login', { email: this.#person.tokens.user.email, password: this.#person.password, device });
  }

  /** Of somebody whose account may end by the request; somebody new where it has. */
  async leaving(): Promise<{ readonly id: string; readonly token: string }> {
    if (this.#leaving !== null) {
      const { status } = await this.#wire.send({ method: 'GET', path: `${basePath}/users/me`, headers: { authorization: `Bearer ${this.#leaving.token}` } });
      if (status === 200) return this.#leaving;
    }
    const username = `leaving${Date.now().toString(36)}`;
    const { user, access_token: token } = await this.#ask<Pair & { user: { id: string } }>('POST', '/auth/register', { email: `${username}@example.com`, username, password: this.#person.password });
    this.#leaving = { id: user.id, token };
    return this.#leaving;
  }

  /** The real things for the stand-ins that a request holds. */
  async realFor(request: string): Promise<Map<string, string>> {
    const makers: Readonly<Record<keyof typeof standIns, () => Promise<string>>> = {
      session: async () => (await this.signIn()).session_id,
      device: () => this.#device(),
      sessionToken: async () => (await this.#ask<{ token: string }>('POST', '/auth/session-tokens')).token,
      deviceCode: () => this.#approvedLink(),
      userCode: async () => (await this.#link()).user_code,
      refreshToken: async () => (await this.signIn()).refresh_token,
    };
    const real = new Map<string, string>();
    for (const [name, standIn] of Object.entries(standIns)) {
      if (request.includes(standIn)) real.set(standIn, await makers[name as keyof typeof standIns]());
    }
    return real;
  }

  async #device(): Promise<string> {
    await this.signIn();
    const [device] = (await this.#ask<{ items: { id: string }[] }>('GET', '/auth/devices')).items;
    if (device === undefined) throw new Error('There is no device.');
    return device.id;
  }

  #link(): Promise<Grant> {
    return this.#ask('POST', '/auth/device-links', { client_name: 'Properties' });
  }

  async #approvedLink(): Promise<string> {
    const grant = await this.#link();
    await this.#ask('POST', `/auth/device-links/${grant.user_code}/approve`);
    return grant.device_code;
  }

  async #ask<T>(method: string, below: string, body?: unknown): Promise<T> {
    const answer = await this.#wire.send({
      method, path: `${basePath}${below}`,
      ...(body === undefined
        ? { headers: { authorization: `Bearer ${this.#person.tokens.access_token}` } }
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    const envelope = envelopeOf(answer);
    if (!envelope.ok) throw new Error(`What a test needs could not be made: ${answer.status} ${answer.text.slice(0, 500)}`);
    return envelope.data as T;
  }
}
