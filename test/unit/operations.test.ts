/** docs/operations.md names a test for each thing that can be down; the tests are there under these names. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const page = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8');
const section = page.slice(page.indexOf('## What happens when'), page.indexOf('**The last resort.**'));
const rows = section.split('\n').filter((line) => line.startsWith('| ') && !/^\| (what +\||-)/.test(line));
const proofs = Array.from(
  section.matchAll(/`(test\/[^`]+\.test\.ts)`: “([^”]+)”/g),
  ([, file = '', title = '']) => ({
    file,
    title,
  }),
);

describe('what happens when something is down', () => {
  it('has a proof in every row', () => {
    expect(rows.length).toBeGreaterThan(15);
    expect(proofs).toHaveLength(rows.length);
  });

  it.each(proofs)('“$title” is a test', ({ file, title }) => {
    const source = readFileSync(join(ROOT, file), 'utf8').replaceAll('\\u2019', '’');
    expect(source).toContain(title);
  });
});
