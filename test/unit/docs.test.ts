import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { renderEvents } from '../../build/docs.ts';

it('documents the events as the catalogue has them (npm run docs)', async () => {
  const written = readFileSync(new URL('../../docs/events.md', import.meta.url), 'utf8');
  expect(written).toBe(await renderEvents());
});
