/**
 * Keeps other sites from posting our forms (OWASP, double-submit cookie): a page sets a cookie that only this console
 * gets back, and its form repeats a value computed from it. `Sec-Fetch-Site` or `Origin` must not name another site.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';

const COOKIE = 'alertgest-form';
/** The name of the form's hidden field. */
export const FORM_FIELD = 'form';
/** A page that was open for longer asks once more. */
const COOKIE_S = 86_400;

export interface OpenForm {
  /** Value of the hidden field {@link FORM_FIELD}. */
  readonly field: string;
  /** The Set-Cookie header that goes with it. */
  readonly cookie: string;
}

/** Starts a form; `subject` binds it to what it acts on. A nonce that the browser has already stays, for its other tabs. */
export function openForm(headers: Headers, subject: string, secure: boolean): OpenForm {
  const known = readCookie(headers.get('cookie') ?? undefined, COOKIE, secure);
  const nonce =
    known !== undefined && /^[\w-]{22}$/.test(known) ? known : randomBytes(16).toString('base64url');
  return {
    field: fieldOf(nonce, subject).toString('base64url'),
    cookie: writeCookie(COOKIE, nonce, { maxAgeS: COOKIE_S, sameSite: 'Strict', secure }),
  };
}

/** Whether a posted form was opened here by the same browser. */
export function isOwnForm(headers: Headers, subject: string, field: unknown, secure: boolean): boolean {
  const nonce = readCookie(headers.get('cookie') ?? undefined, COOKIE, secure);
  const given = Buffer.from(typeof field === 'string' ? field : '', 'base64url');
  if (nonce === undefined || !isOwnSite(headers, true)) return false;
  const expected = fieldOf(nonce, subject);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/**
 * Whether a request may come from a page of ours, or from no page at all. `Origin: null` is what a browser sends under
 * `Referrer-Policy: no-referrer`; it counts as unknown only where a form's own value is checked as well.
 */
export function isOwnSite(headers: Headers, allowNull = false): boolean {
  const site = headers.get('sec-fetch-site');
  if (site !== null) return site === 'same-origin' || site === 'none';
  const origin = headers.get('origin');
  if (origin === null) return true;
  if (origin === 'null') return allowNull;
  const host = URL.parse(origin)?.host;
  return host !== undefined && (host === headers.get('host') || host === headers.get('x-forwarded-host'));
}

/**
 * Whether a request's `Host` can only be meant for this console: its own name, an address, or a name that no public DNS
 * answers. A console that lets anyone in asks for this, because a page of another site can point its own name here
 * (DNS rebinding) and then counts as the same site.
 */
export function isOwnHost(headers: Headers, ownHost: string | null): boolean {
  const host = headers.get('host');
  if (host === null || host === ownHost) return true;
  const name = URL.parse(`http://${host}`)?.hostname.replace(/\.$/, '') ?? '';
  if (isIP(name.replace(/^\[|\]$/g, '')) !== 0) return true;
  return name !== '' && (!name.includes('.') || /\.(?:local|localhost|internal|home\.arpa)$/.test(name));
}

/** Reads a cookie of ours: under `__Host-` where cookies are secure, under its plain name elsewhere. */
export function readCookie(header: string | undefined, name: string, secure: boolean): string | undefined {
  const wanted = `${prefixOf(secure)}${name}=`;
  return (header ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .find((pair) => pair.startsWith(wanted))
    ?.slice(wanted.length);
}

/** A Set-Cookie header for a cookie of ours; an age of 0 takes it away. */
export function writeCookie(
  name: string,
  value: string,
  options: { maxAgeS: number; sameSite: 'Strict' | 'Lax'; secure: boolean },
): string {
  const { maxAgeS, sameSite, secure } = options;
  const parts = [
    `${prefixOf(secure)}${name}=${value}`,
    'Path=/',
    `Max-Age=${maxAgeS}`,
    'HttpOnly',
    `SameSite=${sameSite}`,
    ...(secure ? ['Secure'] : []),
  ];
  return parts.join('; ');
}

/**
 * Whether browsers will keep `Secure` cookies of a console at this address: over https, and on loopback, which they
 * treat as secure. A console over plain http in a home network gets cookies without the prefix.
 */
export function keepsSecureCookies(consoleUrl: string | undefined): boolean {
  const url = consoleUrl === undefined ? null : URL.parse(consoleUrl);
  if (url === null || url.protocol === 'https:') return true;
  return /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(url.hostname);
}

function prefixOf(secure: boolean): string {
  return secure ? '__Host-' : '';
}

function fieldOf(nonce: string, subject: string): Buffer {
  return createHmac('sha256', nonce).update(`alertgest form ${subject}`).digest();
}
