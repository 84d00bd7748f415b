import { describe, expect, it } from 'vitest';
import { configSchema } from '../../../../functions/console/config.ts';
import {
  isOwnForm,
  isOwnSite,
  keepsSecureCookies,
  openForm,
  readCookie,
  writeCookie,
} from '../../../../functions/console/form-guard.ts';
import { SESSION_S, readSession, signSession } from '../../../../functions/console/session.ts';
import { toLocalPath } from '../../../../functions/console/sign-in-page.ts';
import { decideUser, isPerson } from '../../../../functions/console/sign-in.ts';
import type { Evidence } from '../../../../functions/console/sign-in.ts';
import { parseConfig } from '../../../../shared/env.ts';

const TOKEN = 'console-token-0123456789';
const NOW = new Date('2026-01-15T08:00:00Z');
const CLOSED = { token: TOKEN, allowAnyone: false };

function evidence(overrides: Partial<Evidence> = {}): Evidence {
  return {
    authorization: undefined,
    session: undefined,
    named: undefined,
    viaTrustedProxy: false,
    now: NOW,
    ...overrides,
  };
}

describe('decideUser', () => {
  it('is closed by default', () => {
    expect(decideUser(evidence(), CLOSED)).toBeNull();
    expect(decideUser(evidence(), { token: null, allowAnyone: false })).toBeNull();
    expect(
      decideUser(evidence({ session: 's1.9999999999..' }), { token: null, allowAnyone: false }),
    ).toBeNull();
  });

  it.each([
    [`Bearer ${TOKEN}`, 'token'],
    [`bearer ${TOKEN}`, 'token'],
    [`Bearer ${TOKEN}x`, undefined],
    [`Bearer ${TOKEN.slice(1)}`, undefined],
    [`Basic ${TOKEN}`, undefined],
    ['Bearer ', undefined],
  ])('takes %j as %s', (authorization, how) => {
    expect(decideUser(evidence({ authorization }), CLOSED)?.how).toBe(how);
  });

  it('believes a name only when a trusted proxy brought it', () => {
    expect(decideUser(evidence({ named: 'ann' }), CLOSED)).toBeNull();
    expect(decideUser(evidence({ named: 'ann', viaTrustedProxy: true }), CLOSED)).toEqual({
      name: 'ann',
      how: 'proxy',
    });
    expect(decideUser(evidence({ named: '  ', viaTrustedProxy: true }), CLOSED)).toBeNull();
  });

  it('keeps a name to one visible line', () => {
    const user = decideUser(
      evidence({ named: `a\u202en\nn ${'x'.repeat(300)}`, viaTrustedProxy: true }),
      CLOSED,
    );
    expect(user?.name).toMatch(/^a n n x{74}$/);
  });

  it('lets anyone in where that is said, as nobody in particular', () => {
    const user = decideUser(evidence(), { token: TOKEN, allowAnyone: true });
    expect(user).toEqual({ name: 'anyone', how: 'open' });
    expect(isPerson(user)).toBe(false);
  });
});

describe('a session', () => {
  it('names who signed in, until it is over', () => {
    const value = signSession(TOKEN, 'Änn · on call', NOW);
    expect(value).toMatch(/^[\w.-]+$/);
    expect(readSession(TOKEN, value, NOW)).toBe('Änn · on call');
    expect(readSession(TOKEN, value, new Date(NOW.getTime() + SESSION_S * 1_000 - 1_000))).not.toBeNull();
    expect(readSession(TOKEN, value, new Date(NOW.getTime() + SESSION_S * 1_000))).toBeNull();
  });

  it('is over with another token, and cannot be altered', () => {
    const value = signSession(TOKEN, 'ann', NOW);
    expect(readSession(`${TOKEN}2`, value, NOW)).toBeNull();
    const [version, end, name, mac] = value.split('.');
    expect(readSession(TOKEN, `${version}.${Number(end) + 1}.${name}.${mac}`, NOW)).toBeNull();
    expect(
      readSession(TOKEN, `${version}.${end}.${Buffer.from('eve').toString('base64url')}.${mac}`, NOW),
    ).toBeNull();
    expect(readSession(TOKEN, `${version}.${end}.${name}.`, NOW)).toBeNull();
    expect(readSession(TOKEN, '', NOW)).toBeNull();
  });
});

describe('a form', () => {
  const cookieOf = (header: string): Headers =>
    new Headers({ cookie: header.split(';')[0] ?? '', 'sec-fetch-site': 'same-origin' });

  it('is ours when the browser sends its cookie back with it', () => {
    const { field, cookie } = openForm(new Headers(), 'a', true);
    expect(cookie).toMatch(/^__Host-alertgest-form=[\w-]{22}; Path=\/; .*HttpOnly; SameSite=Strict; Secure$/);
    expect(isOwnForm(cookieOf(cookie), 'a', field, true)).toBe(true);
    expect(isOwnForm(cookieOf(cookie), 'b', field, true)).toBe(false);
    expect(isOwnForm(new Headers({ 'sec-fetch-site': 'same-origin' }), 'a', field, true)).toBe(false);
    expect(isOwnForm(cookieOf(openForm(new Headers(), 'a', true).cookie), 'a', field, true)).toBe(false);
    expect(isOwnForm(cookieOf(cookie), 'a', undefined, true)).toBe(false);
  });

  it('keeps the nonce of a browser that has one', () => {
    const { cookie, field } = openForm(new Headers(), 'a', true);
    expect(openForm(cookieOf(cookie), 'a', true)).toMatchObject({ field });
  });

  it('from another site is not ours, cookie or not', () => {
    const { field, cookie } = openForm(new Headers(), 'a', true);
    const headers = cookieOf(cookie);
    headers.set('sec-fetch-site', 'cross-site');
    expect(isOwnForm(headers, 'a', field, true)).toBe(false);
  });

  it.each([
    [{ 'sec-fetch-site': 'same-origin' }, true],
    [{ 'sec-fetch-site': 'none' }, true],
    [{ 'sec-fetch-site': 'same-site' }, false],
    [{ 'sec-fetch-site': 'cross-site', origin: 'https://a.example', host: 'a.example' }, false],
    [{ origin: 'http://a.example:8080', host: 'a.example:8080' }, true],
    [{ origin: 'http://evil.example', host: 'a.example' }, false],
    [{ origin: 'null', host: 'a.example' }, false],
    [{}, true],
  ])('%j counts as our own site: %s', (headers, expected) => {
    expect(isOwnSite(new Headers(headers as Record<string, string>))).toBe(expected);
  });

  it('uses cookies without the prefix only where browsers refuse secure ones', () => {
    expect(keepsSecureCookies(undefined)).toBe(true);
    expect(keepsSecureCookies('https://alertgest.example.org')).toBe(true);
    expect(keepsSecureCookies('http://127.0.0.1:8080')).toBe(true);
    expect(keepsSecureCookies('http://localhost:8080')).toBe(true);
    expect(keepsSecureCookies('http://192.168.1.5:8080')).toBe(false);
    expect(writeCookie('a', 'b', { maxAgeS: 1, sameSite: 'Lax', secure: false })).not.toContain('Secure');
    expect(readCookie('x=1; __Host-a=2; a=3', 'a', true)).toBe('2');
    expect(readCookie('x=1; __Host-a=2; a=3', 'a', false)).toBe('3');
  });
});

describe('the way on after a sign-in', () => {
  it.each([
    [undefined, '/'],
    ['/issues?zone=UTC', '/issues?zone=UTC'],
    ['//evil.example/x', '/'],
    ['/\\evil.example', '/'],
    ['/\t/evil.example', '/'],
    ['https://evil.example', '/'],
    ['javascript:alert(1)', '/'],
    ['/..//evil.example', '/evil.example'],
  ])('%j leads to %s', (next, path) => {
    expect(toLocalPath(next)).toBe(path);
  });
});

describe('the configuration', () => {
  const base = { DATABASE_URL: 'postgresql://x' };
  it('needs one way to know who asks', () => {
    expect(() => parseConfig(configSchema, base)).toThrow(/CONSOLE_TOKEN/);
    expect(() => parseConfig(configSchema, { ...base, TRUSTED_USER_HEADER: 'X-Forwarded-User' })).toThrow(
      /TRUSTED_PROXIES/,
    );
    expect(() =>
      parseConfig(configSchema, { ...base, CONSOLE_TOKEN: TOKEN, TRUSTED_PROXIES: 'proxy' }),
    ).toThrow(/TRUSTED_PROXIES/);
    expect(
      parseConfig(configSchema, {
        ...base,
        TRUSTED_USER_HEADER: 'X-Forwarded-User',
        TRUSTED_PROXIES: '10.0.0.0/24',
      }).IGNORE_DEFAULT,
    ).toBe('until-it-changes');
  });
});
