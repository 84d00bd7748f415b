import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';

import { describe, expect, test } from 'vitest';

import { MATRIX } from '../faults/matrix.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const ROWS = 55;

describe('the fault matrix', () => {
  test('has every row once', () => {
    expect(MATRIX.map(({ row }) => row)).toEqual(Array.from({ length: ROWS }, (_, index) => index + 1));
  });

  test.each(MATRIX)('F$row has a test, or says why not', ({ row, tests, limit }) => {
    expect(tests.length > 0 || limit !== undefined).toBe(true);
    for (const { file, name } of tests) {
      expect(existsSync(resolve(ROOT, file)), file).toBe(true);
      const number = `F${String(row).padStart(2, '0')}`;
      expect(
        titlesOf(file).some((title) => title.startsWith(name)),
        `${file}: ${name}`,
      ).toBe(true);
      expect(/^F\d\d/.exec(name)?.[0] ?? number, name).toBe(number);
    }
  });

  test('lists every test that bears a number', () => {
    const listed = new Set(MATRIX.flatMap(({ tests }) => tests.map(({ file }) => file)));
    for (const file of listed) {
      for (const title of titlesOf(file)) {
        const number = /^F(\d\d) /.exec(title)?.[1];
        if (number === undefined) continue;
        const { tests = [] } = MATRIX[Number(number) - 1] ?? {};
        expect(tests, title).toContainEqual({ file, name: `F${number}` });
      }
    }
  });
});

/** The names of the tests of a file, as they are written there. */
function titlesOf(file: string): string[] {
  const text = readFileSync(resolve(ROOT, file), 'utf8');
  return [...text.matchAll(/\(\s*(['"`])((?:(?!\1)[^\\]|\\.)+)\1/gs)].map(([, , title = '']) => title);
}
