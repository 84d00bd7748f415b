import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { readProduction, renderLicences } from '../../../build/licences.ts';
import type { LockedPackage } from '../../../build/licences.ts';
import { checkLock, judge } from '../../../build/supply.ts';

const good: LockedPackage = {
  name: 'pg',
  version: '8.0.0',
  license: 'MIT',
  integrity: 'sha512-x',
  isDirect: true,
};

describe('the lock file', () => {
  it('passes every check that needs no network', () => {
    expect(checkLock(readProduction()).filter(({ state }) => state !== 'ok')).toEqual([]);
  });

  it('tells what package.json names from what comes with it, and both from tools', () => {
    const packages = readProduction();
    const direct = packages.filter(({ isDirect }) => isDirect).map(({ name }) => name);

    expect(direct).toContain('pg');
    expect(packages.map(({ name }) => name)).toContain('pg-protocol');
    expect(direct).not.toContain('pg-protocol');
    expect(packages.map(({ name }) => name)).not.toContain('vitest');
  });

  it.each([
    ['an install script', { ...good, hasInstallScript: true }, /1 packages run a script/],
    ['no checksum', { ...good, integrity: undefined }, /1 packages have no checksum/],
    ['a licence nobody looked at', { ...good, license: 'SSPL-1.0' }, /licence that nobody/],
    ['no licence', { ...good, license: undefined }, /licence that nobody/],
  ])('fails with %s', (_name, entry, finding) => {
    const failed = checkLock([good, entry]).filter(({ state }) => state === 'failed');

    expect(failed).toHaveLength(1);
    expect(failed[0]?.text).toMatch(finding);
  });

  it('fails with more direct packages than 25', () => {
    const many = Array.from({ length: 26 }, (_, index) => ({ ...good, name: `p${index}` }));

    expect(checkLock(many)[0]).toMatchObject({ state: 'failed' });
    expect(checkLock(many.slice(1))[0]).toMatchObject({ state: 'ok' });
  });
});

describe('an answer of the registry', () => {
  it.each([
    ['yes', 0, '', 'ok'],
    ['a hole', 1, 'axios  1.0.0\nSeverity: critical', 'failed'],
    ['many holes', 1, '405 vulnerabilities (500 High)', 'failed'],
    ['a wrong signature', 1, '1 package has an invalid registry signature', 'failed'],
    ['no network', 1, 'npm error getaddrinfo ENOTFOUND', 'not-checked'],
    ['a mirror without audits', 1, 'npm warn audit 405 Method Not Allowed', 'not-checked'],
  ] as const)('that is %s counts as what it is', (_name, status, output, state) => {
    expect(judge('audit', { status, output })).toMatchObject({ state });
  });
});

it('docs/licences.md is what the lock file says (node build/licences.ts)', async () => {
  const written = readFileSync(new URL('../../../docs/licences.md', import.meta.url), 'utf8');
  expect(written).toBe(await renderLicences());
});
