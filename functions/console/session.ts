/** The cookie of somebody who signed in with the console's token: name and end, signed with a key made of that token. */
import { createHmac, timingSafeEqual } from 'node:crypto';

/** How long a sign-in lasts. */
export const SESSION_S = 30 * 86_400;
const NAME_CHARS = 80;

/** The value of a new session's cookie. Another CONSOLE_TOKEN ends all sessions. */
export function signSession(token: string, name: string, now: Date): string {
  const end = Math.floor(now.getTime() / 1_000) + SESSION_S;
  const body = `s1.${end}.${Buffer.from(toName(name)).toString('base64url')}`;
  return `${body}.${macOf(token, body).toString('base64url')}`;
}

/** The name in a session's cookie, or null when it is over or not ours. */
export function readSession(token: string, value: string, now: Date): string | null {
  const [, body = '', end = '', name = '', mac = ''] =
    /^(s1\.(\d{1,12})\.([\w-]*))\.([\w-]{43})$/.exec(value) ?? [];
  // As text: the last character holds two spare bits, and only one spelling counts.
  const given = Buffer.from(mac);
  const expected = Buffer.from(macOf(token, body).toString('base64url'));
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null;
  if (Number(end) * 1_000 <= now.getTime()) return null;
  return Buffer.from(name, 'base64url').toString('utf8');
}

/** A name as it may stand in the log of decisions: one visible line, never empty. */
export function toName(text: string): string {
  const visible = text
    .normalize('NFC')
    .replaceAll(/[\p{C}\s]+/gu, ' ')
    .trim();
  return Array.from(visible).slice(0, NAME_CHARS).join('') || 'console token';
}

function macOf(token: string, body: string): Buffer {
  return createHmac('sha256', `alertgest session ${token}`).update(body).digest();
}
