/** The credential of the one-machine mode: RECEIVE_TOKEN, or one that is made once and kept where only its owner reads it. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** Where `run` keeps history, token and logs. */
export const DATA_FOLDER = resolve(import.meta.dirname, '../.data');

const TOKEN_FILE = join(DATA_FOLDER, 'token');

/** The token in use: the first of `given` (RECEIVE_TOKEN), else that of `run`; null when there is none. */
export function readToken(given: string | undefined, file = TOKEN_FILE): string | null {
  const first = given?.split(',')[0]?.trim();
  if (first !== undefined && first !== '') return first;
  try {
    return readFileSync(file, 'utf8').trim() || null;
  } catch {
    return null;
  }
}

/** The same, made when there is none. */
export function ensureToken(given: string | undefined, file = TOKEN_FILE): string {
  const known = readToken(given, file);
  if (known !== null) return known;
  const token = createToken();
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${token}\n`, { mode: 0o600 });
  return token;
}

/** 192 random bits in letters and digits. */
export function createToken(): string {
  return randomBytes(24).toString('hex');
}
