import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { configSchema as receiveConfig } from '../../../functions/receive/config.ts';
import { durationMs, flag, integer, parseConfig, resolveEnvironment } from '../../../shared/env.ts';

describe('the environment', () => {
  it('reads a secret from the file that <NAME>_FILE names, without its line end', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'env-')), 'token');
    writeFileSync(file, 'secret\n');
    expect(resolveEnvironment({ RECEIVE_TOKEN_FILE: file })).toEqual({ RECEIVE_TOKEN: 'secret' });
  });

  it('counts an empty value as not set', () => {
    expect(resolveEnvironment({ A: '', B: 'x' })).toEqual({ B: 'x' });
  });

  it('minds an unreadable file only where a variable of ours was to come from it', () => {
    const env = resolveEnvironment({ OTHER_TOOL_FILE: '/nowhere', SECRET_FILE: '/nowhere' });
    expect(parseConfig(z.object({ A: flag(true) }), env)).toEqual({ A: true });
    expect(() => parseConfig(z.object({ SECRET: z.string().optional() }), env)).toThrow(
      /SECRET_FILE: the file it names cannot be read/,
    );
  });

  it('names every bad variable at once and never a value', () => {
    const schema = z.object({ A: integer(3, 1, 9), B: flag(true), C: durationMs('5m') });
    const read = (): unknown => parseConfig(schema, { A: '9000', B: 'perhaps', C: 'soon' });
    expect(read).toThrow(
      /A: must be a whole number from 1 to 9[\s\S]*B: must be true or false[\s\S]*C: must be a duration/,
    );
    expect(read).not.toThrow(/9000|perhaps|soon/);
  });

  it('reads durations as Prometheus writes them', () => {
    expect(parseConfig(z.object({ T: durationMs('5m') }), { T: '1h30m' })).toEqual({ T: 5_400_000 });
    expect(parseConfig(z.object({ T: durationMs('5m') }), {})).toEqual({ T: 300_000 });
  });
});

describe('receive', () => {
  const base = { DATABASE_URL: 'postgresql://localhost/x' };

  it('does not start without a credential unless that is said in words', () => {
    expect(() => parseConfig(receiveConfig, base)).toThrow(/RECEIVE_TOKEN/);
    expect(parseConfig(receiveConfig, { ...base, ALLOW_UNAUTHENTICATED: 'true' })).toMatchObject({
      ALLOW_UNAUTHENTICATED: true,
    });
  });

  it('takes two tokens for rotation, and no short ones', () => {
    expect(
      parseConfig(receiveConfig, { ...base, RECEIVE_TOKEN: '0123456789abcdef,fedcba9876543210' })
        .RECEIVE_TOKEN,
    ).toHaveLength(2);
    expect(() => parseConfig(receiveConfig, { ...base, RECEIVE_TOKEN: 'short' })).toThrow(/16 characters/);
  });
});
