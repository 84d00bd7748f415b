/**
 * Writes docs/events.md from the catalogue and the table in docs/channels.md from the channels' definitions, so that
 * neither can differ from the code.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { format } from 'prettier';
import { z } from 'zod';
import { CHANNEL_TYPES } from '../functions/notify/channels/index.ts';
import { webhookAnswerSchema } from '../functions/receive/webhook.ts';
import { webhookSchema } from '../shared/alert.ts';
import { EVENTS, digestBuiltSchema, noticeDataSchema } from '../shared/events.ts';

const TARGET = new URL('../docs/events.md', import.meta.url);
const CHANNELS_PAGE = new URL('../docs/channels.md', import.meta.url);
/** The section whose table is written; its sentences above the table are the page's own. */
const CHANNELS_SECTION = /(?<=\n## What each can do\n(?:(?!\|).*\n)*)\|(?:.*\n)*?(?=\n)/;

const INTRODUCTION = `# Events

CloudEvents 1.0 in binary mode. This page is written by \`npm run docs\` from \`shared/events.ts\`; a test compares them.

An event is a doorbell: a function takes the notice's id from \`subject\` and reads everything else from Postgres. A
repeated, reordered or forged event can only hasten work that was due; a lost one is rung again by the sweep.

- \`id\`: the row and the step, e.g. \`ag-1f0c6a3d2b4e5f60.opened.classified\`; the same step of the same row is the same event.
- \`source\`: \`/alertgest/<cluster>/<function>\`.
- \`subject\`: the notice's id (of a stored digest \`digest-\` and its number).
- Extensions: \`severity\`, \`pattern\`, \`partitionkey\` (the pattern), \`traceparent\`.
- Data: at most 64 KiB; it shows what people and Trigger filters want to see.
`;

/** The page's text, formatted as prettier leaves it. */
export async function renderEvents(): Promise<string> {
  const rows = Object.entries(EVENTS).map(
    ([type, { meaning, emittedBy, consumedBy }]) =>
      `| \`${type}\` | ${meaning} | ${emittedBy.join(', ') || '—'} | ${consumedBy.join(', ') || '—'} |`,
  );
  const text = [
    INTRODUCTION,
    ['| type | meaning | emitted by | starts |', '| --- | --- | --- | --- |', ...rows].join('\n'),
    section('Data of notice and delivery events', noticeDataSchema),
    section('Data of `dev.alertgest.digest.built`', digestBuiltSchema),
    '# The webhook\n\n`POST /api/v1/alerts` at receive, with a bearer token or basic auth.',
    section('Body (everything but `alerts` may be missing)', webhookSchema),
    section('Answer with 200', webhookAnswerSchema),
  ].join('\n\n');
  return format(text, { parser: 'markdown', printWidth: 110, proseWrap: 'preserve' });
}

/** The page about channels with the table as the definitions have it; everything else stays as it is. */
export async function renderChannels(page: string): Promise<string> {
  const rows = CHANNEL_TYPES.map(({ type, facts }) =>
    [
      '',
      `[${type}](#${type})`,
      `[${facts.limits}](${facts.docs})`,
      facts.rate,
      facts.loudness,
      facts.button === 'acts' ? 'acts' : 'opens the page',
      facts.closes ?? '—',
      facts.updates ?? '—',
      facts.collapses ?? '—',
      '',
    ].join(' | '),
  );
  const table = [
    '| channel | limits | pace | critical / warning / rest | decision | the end | later changes | a repeat collapses by |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
  if (!CHANNELS_SECTION.test(page)) throw new Error('docs/channels.md has no table under "What each can do"');
  return format(
    page.replace(CHANNELS_SECTION, () => `${table}\n`),
    { parser: 'markdown', printWidth: 110, proseWrap: 'preserve' },
  );
}

function section(title: string, schema: z.ZodType): string {
  return `## ${title}\n\n\`\`\`json\n${JSON.stringify(z.toJSONSchema(schema), null, 2)}\n\`\`\``;
}

if (import.meta.main) {
  writeFileSync(TARGET, await renderEvents());
  writeFileSync(CHANNELS_PAGE, await renderChannels(readFileSync(CHANNELS_PAGE, 'utf8')));
}
