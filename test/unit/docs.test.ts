import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { renderChannels, renderEvents } from '../../build/docs.ts';
import { CHANNEL_TYPES } from '../../functions/notify/channels/index.ts';

it('documents the events as the catalogue has them (npm run docs)', async () => {
  const written = readFileSync(new URL('../../docs/events.md', import.meta.url), 'utf8');
  expect(written).toBe(await renderEvents());
});

const channels = readFileSync(new URL('../../docs/channels.md', import.meta.url), 'utf8');

it('documents what channels can do as their definitions say (npm run docs)', async () => {
  expect(channels).toBe(await renderChannels(channels));
});

it.each(CHANNEL_TYPES)(
  'documents $type with all its variables, here and in the configuration',
  ({ type, variables }) => {
    const configuration = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
    const section = channels.split(/^## /m).find((text) => text.startsWith(`${type}\n`)) ?? '';
    expect(variables.filter((name) => !section.includes(`\`${name}\``))).toEqual([]);
    expect(variables.filter((name) => !configuration.includes(`\`${name}\``))).toEqual([]);
  },
);
