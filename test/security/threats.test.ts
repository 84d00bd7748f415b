/** The table of threats is whole, its tests are there, and docs/security.md shows it. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { renderThreats, toTitlePattern } from '../../build/security.ts';
import { THREATS } from './threats.ts';

const ROOT = join(import.meta.dirname, '../..');
const page = readFileSync(join(ROOT, 'docs/security.md'), 'utf8');

/** Text of a file as it is meant, not as it is escaped. */
function read(file: string): string {
  const path = join(ROOT, file);
  return existsSync(path) ? readFileSync(path, 'utf8').replaceAll('\\u2019', '’') : '';
}

describe('the threats', () => {
  it('are all there, each with a check or the reason why there is none', () => {
    expect(THREATS.map(({ number }) => number)).toEqual(Array.from({ length: 26 }, (_, index) => index + 1));
    expect(THREATS.filter(({ checks, rest }) => checks.length === 0 && rest === null)).toEqual([]);
  });

  it.each(THREATS)('S$number has tests that are there: $threat', ({ checks }) => {
    const missing = checks.filter(({ file, title, rows }) => {
      const isThere = read(file) !== '' && read(rows ?? file).includes(title);
      return !isThere;
    });
    expect(missing).toEqual([]);
  });

  it('are written down as the table has them (make security)', async () => {
    expect(page).toBe(await renderThreats(page));
  });
});

describe('a title', () => {
  it('finds the tests that are made from it and no others', () => {
    expect(toTitlePattern('masks %s').test('masks a (basic) password')).toBe(true);
    expect(toTitlePattern('$id $title').test('B001 huge')).toBe(true);
    expect(toTitlePattern('has a.b').test('has aXb')).toBe(false);
    expect(toTitlePattern('masks').test('masks all')).toBe(false);
  });
});
