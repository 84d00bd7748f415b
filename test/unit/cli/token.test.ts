import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { readEnvironment } from '../../../cli/environment.ts';
import { ensureToken, readToken } from '../../../cli/token.ts';

const folder = mkdtempSync(join(tmpdir(), 'alertgest-token-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('makes a token once and keeps it where only its owner reads it', () => {
  const file = join(folder, 'data', 'token');
  expect(readToken(undefined, file)).toBeNull();
  const token = ensureToken(undefined, file);
  expect(token).toMatch(/^[0-9a-f]{48}$/);
  expect(ensureToken(undefined, file)).toBe(token);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

it('prefers the first of the given tokens', () => {
  expect(readToken('first, second', join(folder, 'absent'))).toBe('first');
});

it("leaves out other programs' unreadable files and says so", () => {
  const said: string[] = [];
  const env = readEnvironment(
    { A: '1', npm_config_x: 'y', OTHER_FILE: join(folder, 'absent'), TOKEN_FILE: folder },
    (line) => said.push(line),
  );
  expect(env).toEqual({ A: '1', TOKEN_FILE: folder });
  expect(said).toEqual(['OTHER_FILE names a file that cannot be read; it is left out.']);
});
