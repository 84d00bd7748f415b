/**
 * The token of a decision link: `v1.<id>.<mac>`, 48 characters. It carries no meaning of its own: `id` names a row and
 * the mac proves that we made it, so nothing can be altered and a guess never reaches the table.
 * Invariant: one row has one accepted spelling of its id, and a comparison takes as long for a wrong mac as for a right one.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import * as z from 'zod';

const VERSION = 'v1';
/** 128 bits of HMAC-SHA256; RFC 2104, section 5, asks for at least half of the hash and no fewer than 80 bits. */
const MAC_BYTES = 16;
/** 16 bytes in base64url, without padding. */
const TOKEN = /^v1\.([\w-]{22})\.([\w-]{22})$/;
const UUID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/;
const KEY_CHARS = 32;

/** Carries the token where a button posts it. */
export const DECISION_HEADER = 'X-Alertgest-Decision';

/** One or two live keys: the first signs, each verifies. */
export type KeyRing = readonly [string, ...string[]];

/** `DECISION_KEYS`: one key, or the new and the old one while messages with old links are still about. */
export const keyRingVariable: z.ZodType<KeyRing | undefined, string | undefined> = z
  .string()
  .optional()
  .transform((text, context) => {
    if (text === undefined) return undefined;
    const [first, ...others] = text.split(',').map((key) => key.trim());
    if (
      first !== undefined &&
      others.length <= 1 &&
      [first, ...others].every((key) => key.length >= KEY_CHARS)
    )
      return [first, ...others] as const;
    context.addIssue(
      `must be one key or two with a comma between (the new one first), each of at least ${KEY_CHARS} characters, e.g. from \`openssl rand -hex 32\``,
    );
    return z.NEVER;
  });

/** The token of a link's row. */
export function signLink(keys: KeyRing, id: string): string {
  if (!UUID.test(id)) throw new TypeError('the id of a link is a UUID in lower case');
  const encoded = Buffer.from(id.replaceAll('-', ''), 'hex').toString('base64url');
  return `${VERSION}.${encoded}.${macOf(keys[0], encoded).toString('base64url')}`;
}

/** The id of the row a token names, or null when we did not make it. */
export function verifyLink(keys: KeyRing, token: string): string | null {
  const match = TOKEN.exec(token);
  const encoded = match?.[1] ?? 'A'.repeat(22);
  const mac = Buffer.from(match?.[2] ?? '', 'base64url');
  let isOurs = false;
  for (const key of keys) {
    const expected = macOf(key, encoded);
    // The last character holds four spare bits: only their one canonical spelling counts.
    const spelling = timingSafeEqual(pad(mac), expected) && mac.toString('base64url') === match?.[2];
    isOurs ||= spelling;
  }
  const id = Buffer.from(encoded, 'base64url');
  if (match === null || !isOurs || id.toString('base64url') !== encoded) return null;
  return id.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function macOf(key: string, encodedId: string): Buffer {
  const mac = createHmac('sha256', key).update(`alertgest decision link ${VERSION}.${encodedId}`).digest();
  return mac.subarray(0, MAC_BYTES);
}

function pad(mac: Buffer): Buffer {
  return mac.length === MAC_BYTES ? mac : Buffer.alloc(MAC_BYTES);
}
